// The seed document's frontend code, byte for byte, in a real browser: its React hook and component, and its
// reconnecting client. They connect to localhost:8000 and nowhere else.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';

import { launch } from './page.support.mjs';
import { assertFree } from './ports.mjs';
import { bundle, COMPONENT, RECONNECTING, servePages } from './seed.support.mjs';
import { Server } from './server.mjs';

// A server in development, as its users have it: an origin that dragoman allows by default.
const PAGE_PORT = 3000;
const PARAGRAPHS = ['I look at the tables.', 'Here they are: one of facts, and one of dimensions.'];
const ANSWER = PARAGRAPHS.join('\n\n');
const [looking, found] = PARAGRAPHS.map((text) => ({ cut: { text, characters: 4, pause_ms: 60 } }));
const SCRIPT = { scenarios: [{ steps: [[looking, { call: { name: 'list_tables' } }], [found]] }] };

let browser;
let pages;
let dragoman;
let page;
const problems = [];

before(async () => {
  await assertFree(8000, "the seed document's clients connect to no other");
  await assertFree(PAGE_PORT, 'the page is served from there, an origin that is allowed by default');
  const scripts = { '/component': await bundle(COMPONENT), '/reconnecting': await bundle(RECONNECTING) };
  pages = await servePages(PAGE_PORT, scripts);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  pages?.close();
});

beforeEach(async () => {
  dragoman = await new Server({ http: '127.0.0.1:8000', script: SCRIPT }).start();
  page = await browser.newPage();
  problems.length = 0;
  page.on('pageerror', (error) => problems.push(error.message));
});

afterEach(async () => {
  await page.close();
  await dragoman.stop();
  assert.deepEqual(problems, []);
});

test('the React hook and its component show the answer as it grows', async () => {
  await page.goto(`http://localhost:${PAGE_PORT}/component`);
  await page.locator('.status', { hasText: / Connected$/ }).waitFor();
  await watchMessages();

  await page.locator('input').fill('List all tables');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.message.agent').waitFor();

  assert.deepEqual(await shown('user'), ['List all tables']);
  assert.deepEqual(await shown('agent'), [ANSWER]);
  assert.deepEqual(await shown('agent_partial'), [], 'a partial is left over');
  assert.deepEqual(await shown('error'), []);
  const [tool] = await shown('tool');
  assert.match(JSON.stringify(JSON.parse(tool)), /fact_/);

  const partials = await page.evaluate(() => window.partials);
  assert(partials.length > 3, `only ${partials.length} partials were seen`);
  for (const [index, partial] of partials.entries()) {
    assert((partials[index + 1] ?? ANSWER).startsWith(partial), `${partial} is no prefix of what followed`);
  }
  const kinds = await page.locator('.message').evaluateAll((all) => all.map((one) => one.className));
  assert.deepEqual(kinds, ['message user', 'message tool', 'message agent']);

  // Enter sends too, and the second turn stands below the first.
  await page.locator('input').fill('List them again');
  await page.locator('input').press('Enter');
  await page.locator('.message.agent').nth(1).waitFor();
  assert.deepEqual(await shown('user'), ['List all tables', 'List them again']);
  assert.deepEqual(await shown('agent'), [ANSWER, ANSWER]);
});

test('the React hook tells when the server has gone', async () => {
  await page.goto(`http://localhost:${PAGE_PORT}/component`);
  await page.locator('.status', { hasText: / Connected$/ }).waitFor();
  await dragoman.kill();
  await page.locator('.status', { hasText: /Disconnected$/ }).waitFor();
  await dragoman.start();
});

test('the reconnecting client finds a killed server again by itself', async () => {
  await page.goto(`http://localhost:${PAGE_PORT}/reconnecting`);
  await page.evaluate(() => {
    window.client = new window.ReconnectingWebSocket();
    window.client.connect('ws://localhost:8000/ws/reconnecting');
  });
  const isOpen = () => window.client.ws.readyState === WebSocket.OPEN;
  await page.waitForFunction(isOpen);
  assert.equal((await question('before')).at(-1).content, ANSWER);
  await page.evaluate(() => {
    window.first = window.client.ws;
  });

  await dragoman.kill();
  await page.waitForFunction(() => window.client.reconnectAttempts > 0);
  await dragoman.start();
  await page.waitForFunction(isOpen);

  assert(await page.evaluate(() => window.client.ws !== window.first), 'it is still the first connection');
  const frames = await question('after');
  assert.deepEqual([frames[0].type, frames[0].content], ['user', 'after']);
  assert.deepEqual([frames.at(-1).type, frames.at(-1).content], ['agent', ANSWER]);
});

// Notes every state of the partial message that the page shows.
async function watchMessages() {
  await page.evaluate(() => {
    window.partials = [];
    new MutationObserver(() => {
      const text = document.querySelector('.message.agent_partial')?.textContent;
      if (text !== undefined && text !== window.partials.at(-1)) {
        window.partials.push(text);
      }
    }).observe(document.querySelector('.messages'), { childList: true, subtree: true, characterData: true });
  });
}

function shown(type) {
  return page.locator(`.message.${type}`).allTextContents();
}

// Asks on the reconnecting client's present connection, and resolves to the frames of the turn.
function question(content) {
  return page.evaluate(
    (content) =>
      new Promise((resolve) => {
        const frames = [];
        window.client.ws.onmessage = (event) => {
          frames.push(JSON.parse(event.data));
          if (['agent', 'error'].includes(frames.at(-1).type)) {
            resolve(frames);
          }
        };
        window.client.ws.send(JSON.stringify({ content }));
      }),
    content,
  );
}
