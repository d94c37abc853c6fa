// A TCP proxy in front of a server under test: it can lead elsewhere, and leave a header out.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Proxy {
  #server = createServer((client) => this.#join(client));
  #sockets = new Set();

  // Leads to `target`, `HOST:PORT`. `without` names a header that is left out of the first request of a connection.
  constructor(target, { without } = {}) {
    this.target = target;
    this.without = without;
  }

  async start() {
    this.#server.listen(0, '127.0.0.1');
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

  #join(client) {
    const [host, port] = this.target.split(':');
    const server = connect(Number(port), host);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      this.#sockets.add(from);
      // What one side does, the other is told of: also that it has died.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    client.once('data', (head) => {
      server.write(this.without ? withoutHeader(head, this.without) : head);
      client.pipe(server);
    });
    server.pipe(client);
  }
}

function withoutHeader(head, name) {
  const lines = head.toString('latin1').split('\r\n');
  const kept = lines.filter((line) => !line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return Buffer.from(kept.join('\r\n'), 'latin1');
}
