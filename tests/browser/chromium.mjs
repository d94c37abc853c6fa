// A real Chromium with an empty profile, from the Debian package.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

// NODE_PATH, where tests/run keeps the packages, is only looked at by `require`.
const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launch() {
  assert(process.env.CHROMIUM, 'CHROMIUM must name the browser: run this with tests/run');
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: QUIET });
}
