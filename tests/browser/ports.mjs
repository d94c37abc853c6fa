// Ports of this machine's loopback address.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

// From 32768 on, who connects again and again to a port that nobody has may be given it as its own, and so meet itself.
const [FIRST, END] = [20_000, 32_000];

const given = new Set();

// A port for a server whose address must be known before it runs, or stay when it does not. None is given twice.
export async function freePort() {
  for (;;) {
    const port = randomInt(FIRST, END);
    if (!given.has(port) && (await canListen(port))) {
      given.add(port);
      return port;
    }
  }
}

// Fails at once, and clearly, where a test needs a port that somebody else has.
export async function assertFree(port, why) {
  const socket = connect(port, '127.0.0.1');
  const taken = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  assert(!taken, `port ${port} is taken; ${why}: free it`);
}

async function canListen(port) {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
