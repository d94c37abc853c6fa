// A dragoman process under test: started, awaited, and stopped by its pid. tests/python/server.py is its twin.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 20_000;

export class Server {
  // `script` is played by the scripted model; without one the guide answers, as fast as it can. Settings are given by
  // key, as in the configuration file; `undefined` leaves one at its default.
  constructor({ script, ...settings } = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
    let model = 'guide';
    if (script !== undefined) {
      const file = join(this.folder, 'script.json');
      writeFileSync(file, JSON.stringify(script));
      model = `scripted:${file}`;
    }
    this.settings = {
      http: '127.0.0.1:0',
      grpc: '127.0.0.1:0',
      store: `sqlite:${join(this.folder, 'sessions.db')}`,
      model,
      guide_pace: '0s',
      ...settings,
    };
    this.log = '';
    process.once('exit', () => {
      this.process?.kill('SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  // Resolves when the server is ready.
  async start() {
    assert(process.env.DRAGOMAN, 'DRAGOMAN must name the executable under test: run this with tests/run');
    const variables = Object.entries(this.settings)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [`DRAGOMAN_${key.toUpperCase().replaceAll('.', '_')}`, value]);
    this.process = spawn(process.env.DRAGOMAN, ['serve'], {
      cwd: this.folder,
      env: { ...process.env, ...Object.fromEntries(variables) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    const keep = (text) => {
      printed += text;
      this.log += text;
    };
    this.process.stdout.setEncoding('utf8').on('data', keep);
    this.process.stderr.setEncoding('utf8').on('data', keep);
    const deadline = Date.now() + START_MS;
    while (!(await this.#isReady(printed))) {
      const ended = this.process.exitCode ?? this.process.signalCode;
      assert.equal(ended, null, `dragoman ended with ${ended}:\n${this.log}`);
      assert(Date.now() < deadline, `dragoman was not ready after ${START_MS} ms:\n${this.log}`);
      await sleep(20);
    }
    return this;
  }

  // Asks the server to end, as systemd or Kubernetes does.
  async stop() {
    assert.equal(await this.#end('SIGTERM'), 0, `dragoman did not end well:\n${this.log}`);
  }

  // Ends the server as a crash would: it gets no chance to tidy up.
  async kill() {
    await this.#end('SIGKILL');
  }

  url(path) {
    return `http://${this.http}${path}`;
  }

  async #end(signal) {
    const ending = this.process;
    this.process = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) {
      return ending?.exitCode ?? 0;
    }
    const exit = once(ending, 'exit');
    ending.kill(signal);
    return (await exit)[0];
  }

  async #isReady(printed) {
    const http = printed.match(/http:\/\/([\w.[\]:]+:\d+)/);
    if (!http) {
      return false;
    }
    this.http = http[1];
    try {
      return (await fetch(this.url('/readyz'))).ok;
    } catch {
      return false;
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
