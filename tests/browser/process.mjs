// A process under test in a folder of its own: started, awaited, and ended by its pid.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 20_000;

const all = new Set();

// Whatever a test forgets, or fails to do: nothing of it stays behind.
process.once('exit', () => {
  for (const { process, folder } of all) {
    process?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

// Those who extend it say what is run, `command()`, and when that is of use, `isReady(printed)`.
export class Process {
  constructor(name) {
    this.name = name;
    this.folder = mkdtempSync(join(tmpdir(), 'dragoman-test-'));
    this.log = '';
    all.add(this);
  }

  // Resolves when the process is ready.
  async start() {
    const { program, options = [], variables = {} } = this.command();
    // What is for the scripts, such as DRAGOMAN_URL, is no setting: dragoman refuses what it does not know.
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('DRAGOMAN_'));
    this.process = spawn(program, options, {
      cwd: this.folder,
      env: { ...Object.fromEntries(others), ...variables },
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
    while (!(await this.isReady(printed))) {
      const ended = this.process.exitCode ?? this.process.signalCode;
      assert.equal(ended, null, `${this.name} ended with ${ended}:\n${this.log}`);
      assert(Date.now() < deadline, `${this.name} was not ready after ${START_MS} ms:\n${this.log}`);
      await sleep(20);
    }
    return this;
  }

  // Asks the process to end, as systemd or Kubernetes does.
  async stop() {
    assert.equal(await this.#end('SIGTERM'), 0, `${this.name} did not end well:\n${this.log}`);
  }

  // Ends the process as a crash would: it gets no chance to tidy up.
  async kill() {
    await this.#end('SIGKILL');
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
}
