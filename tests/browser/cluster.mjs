// Two gateways, two agents and a Redis, each a process, and before the gateways what leads a tab to one that lives.

import { once } from 'node:events';
import { connect } from 'node:net';

import { freePort } from './ports.mjs';
import { Process } from './process.mjs';
import { Proxy } from './proxy.mjs';
import { Server } from './server.mjs';

// Short, so that nobody waits long for the end of a turn whose agent has died.
const LIVENESS = { 'sessions.lease': '2s', 'sessions.heartbeat': '500ms' };

class Redis extends Process {
  constructor(port) {
    super('redis-server');
    this.port = port;
  }

  command() {
    const keeping = ['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];
    return {
      program: 'redis-server',
      options: ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.folder, ...keeping],
    };
  }

  async isReady() {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write('PING\r\n');
      const [answer] = await once(socket, 'data');
      return answer.toString() === '+PONG\r\n';
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}

export class Cluster {
  // `scripts` are what the agents' models play, one each. A page of another origin may connect if it is one of
  // `origins`.
  constructor({ scripts, origins = [] }) {
    this.scripts = scripts;
    this.origins = origins;
  }

  async start() {
    this.redis = await new Redis(await freePort()).start();
    const doors = await Promise.all(this.scripts.map(address));
    this.agents = await startAll(
      this.scripts.map(async (script, index) => ({
        only: 'agent',
        http: await address(),
        grpc: doors[index],
        store: `redis://127.0.0.1:${this.redis.port}`,
        script,
        ...LIVENESS,
      })),
    );
    // A connection is led to the first gateway, as long as that lives.
    this.gateways = await startAll(
      [1, 2].map(async () => ({
        only: 'gateway',
        http: await address(),
        agents: doors.map((door) => `http://${door}`).join(),
        'gateway.origins': this.origins.join() || undefined,
        // A gateway has neither.
        grpc: undefined,
        store: undefined,
      })),
    );
    this.balancer = await new Proxy(this.gateways.map(({ http }) => http)).start();
    return this;
  }

  url(path) {
    return this.balancer.url(path);
  }

  async end() {
    this.balancer?.stop();
    const processes = [...(this.gateways ?? []), ...(this.agents ?? []), this.redis];
    await Promise.all(processes.map((process) => process?.kill()));
  }
}

async function address() {
  return `127.0.0.1:${await freePort()}`;
}

function startAll(settings) {
  return Promise.all(settings.map(async (each) => new Server(await each).start()));
}
