// Runs another script against a dragoman of its own, as `cargo run` starts it: the guide, the demo catalog, the pace of
// a reader. The script finds the address in DRAGOMAN_URL.
//
//   node tests/browser/serve.mjs tests/browser/page.mjs

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { Server } from './server.mjs';

const server = await new Server({ guide_pace: undefined }).start();
const script = spawn(process.execPath, process.argv.slice(2), {
  env: { ...process.env, DRAGOMAN_URL: server.url('') },
  stdio: 'inherit',
});
const [code] = await once(script, 'exit');
await server.stop();
process.exitCode = code ?? 1;
