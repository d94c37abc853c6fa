// A dragoman process under test. tests/python/server.py is its twin.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Process } from './process.mjs';

export class Server extends Process {
  // `script` is played by the scripted model; without one the guide answers, as fast as it can. Settings are given by
  // key, as in the configuration file; `undefined` leaves one at its default.
  constructor({ script, ...settings } = {}) {
    super('dragoman');
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
  }

  url(path) {
    return `http://${this.http}${path}`;
  }

  command() {
    assert(process.env.DRAGOMAN, 'DRAGOMAN must name the executable under test: run this with tests/run');
    const variables = Object.entries(this.settings)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [`DRAGOMAN_${key.toUpperCase().replaceAll('.', '_')}`, value]);
    return { program: process.env.DRAGOMAN, options: ['serve'], variables: Object.fromEntries(variables) };
  }

  async isReady(printed) {
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
