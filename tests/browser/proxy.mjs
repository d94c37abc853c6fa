// A TCP proxy in front of servers under test: it leads to one that lives, and can leave a header out.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

import { freePort } from './ports.mjs';

export class Proxy {
  #server = createServer((client) => this.#join(client));
  #sockets = new Set();

  // Leads each connection to the first of `targets`, `HOST:PORT`, that takes it, as a load balancer does. `without`
  // names a header that is left out of the first request of a connection.
  constructor(targets, { without } = {}) {
    this.targets = targets;
    this.without = without;
  }

  async start() {
    this.#server.listen(await freePort(), '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  url(path) {
    return `http://127.0.0.1:${this.#server.address().port}${path}`;
  }

  stop() {
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  async #join(client) {
    // What one side does, the other is told of: also that it has died, and when there is no other yet.
    let server;
    this.#watch(client, () => server?.destroy());
    server = await this.#reach();
    if (server === undefined || client.destroyed) {
      client.destroy();
      server?.destroy();
      return;
    }
    this.#watch(server, () => client.destroy());
    client.once('data', (head) => {
      server.write(this.without ? withoutHeader(head, this.without) : head);
      client.pipe(server);
    });
    server.pipe(client);
  }

  #watch(socket, closed) {
    this.#sockets.add(socket);
    // An error is followed by `close`.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      closed();
    });
  }

  // A connection to the first target that lives, if one does.
  async #reach() {
    for (const target of this.targets) {
      const [host, port] = target.split(':');
      const socket = connect(Number(port), host);
      try {
        await once(socket, 'connect');
        return socket;
      } catch {
        // Nobody is there: the next one.
      }
    }
    return undefined;
  }
}

function withoutHeader(head, name) {
  const lines = head.toString('latin1').split('\r\n');
  const kept = lines.filter((line) => !line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return Buffer.from(kept.join('\r\n'), 'latin1');
}
