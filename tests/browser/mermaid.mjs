// Every diagram dragoman writes is one for Mermaid itself, in a browser, as frontends use it.
//
//   DRAGOMAN=target/debug/dragoman node --test tests/browser/mermaid.mjs
//
// Needs the npm packages mermaid and playwright-core (in NODE_PATH) and Chromium.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { NAMES, SCRIPT, writeHostileCatalog } from './hostile.mjs';
import { launch } from './page.support.mjs';
import { Server } from './server.mjs';

const MERMAID = createRequire(import.meta.url).resolve('mermaid/dist/mermaid.min.js');

let browser;
let page;
const servers = [];

before(async () => {
  browser = await launch();
  page = await browser.newPage();
  await page.addScriptTag({ path: MERMAID });
  await page.evaluate(() => globalThis.mermaid.initialize({ startOnLoad: false }));
});

after(async () => {
  await browser?.close();
  for (const server of servers) await server.stop();
});

async function start(settings, prepare) {
  const server = new Server(settings);
  servers.push(server);
  Object.assign(server.settings, prepare?.(server.folder));
  return server.start();
}

// Asks the questions of one session; gives the `agent` frame of each.
async function ask(server, questions) {
  const address = `${server.url('').replace('http', 'ws')}/ws/${crypto.randomUUID()}`;
  // A page of the server's own origin, of which no policy stops anything.
  const asking = await browser.newPage();
  await asking.goto(server.url('/healthz'));
  const frames = await asking.evaluate(
    async ([to, all]) => {
      const socket = new WebSocket(to);
      await new Promise((done, fail) => Object.assign(socket, { onopen: done, onerror: fail }));
      const frames = [];
      const isOver = new Promise((done, fail) => {
        socket.onclose = ({ code }) => fail(new Error(`closed with ${code}`));
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          if (frame.type === 'error') fail(new Error(frame.content));
          if (frame.type !== 'agent') return;
          frames.push(frame);
          if (frames.length === all.length) done();
          else socket.send(JSON.stringify({ content: all[frames.length] }));
        };
      });
      socket.send(JSON.stringify({ content: all[0] }));
      await isOver;
      socket.close();
      return frames;
    },
    [address, questions],
  );
  await asking.close();
  return frames;
}

// What Mermaid makes of a diagram: the ids of its entities, and what a reader sees of their names.
function render(diagram) {
  return page.evaluate(async (text) => {
    const { mermaid } = globalThis;
    const { type, db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const { svg } = await mermaid.render('drawn', text);
    const holder = document.createElement('div');
    holder.innerHTML = svg;
    document.body.append(holder);
    await new Promise((done) => setTimeout(done, 20));
    const names = [...holder.querySelectorAll('.label.name')].map((name) => name.textContent.trim());
    holder.remove();
    return { type, ids: [...db.getEntities().keys()], names, links: db.getRelationships().length };
  }, diagram);
}

const options = { timeout: 120_000 };

test('every table of the demo catalog', options, async () => {
  const server = await start({ 'limits.rate_questions': '1000' });
  const [list] = await ask(server, ['List all tables']);
  const { type, ids, links } = await render(list.diagram);
  assert.equal(type, 'er');
  assert.equal(links, 35);
  const sources = await ask(server, ['List all sources']);
  const tables = [...ids, ...(await render(sources[0].diagram)).ids];
  assert.ok(tables.length > 25, `${tables}`);
  for (const [place, frame] of (await ask(server, tables.slice(0, 19).map((table) => `Describe ${table}`))).entries()) {
    assert.ok((await render(frame.diagram)).ids.includes(tables[place]), tables[place]);
  }
  for (const [place, frame] of (await ask(server, tables.slice(19).map((table) => `Where does ${table} come from?`))).entries()) {
    assert.ok((await render(frame.diagram)).ids.includes(tables[19 + place]), tables[19 + place]);
  }
});

test('hostile names: each is an entity of its own and is shown as it is', options, async () => {
  const server = await start({ script: SCRIPT, 'limits.rate_questions': '1000' }, (folder) => ({
    catalog: writeHostileCatalog(folder),
  }));
  const [list] = await ask(server, ['list']);
  const whole = await render(list.diagram);
  assert.equal(whole.type, 'er');
  assert.equal(whole.ids.length, NAMES.length);
  assert.deepEqual(whole.names.map((name) => name.trim()).sort(), NAMES.map(shown).sort());
  const questions = NAMES.map((_, place) => `describe ${place}`);
  for (const [place, frame] of (await ask(server, questions)).entries()) {
    const { names } = await render(frame.diagram);
    assert.ok(names.includes(shown(NAMES[place])), `${NAMES[place]} is not in ${names}`);
  }
  assert.equal(await page.evaluate(() => window.hacked), undefined);
});

// Long names are cut. Of Mermaid's own marks for numbers the first is written as two letters, so that nothing becomes a
// number; the last one it shows as the semicolon it stands for.
function shown(text) {
  const name = text.replaceAll('ﬂ', 'fl').replaceAll('¶ß', ';');
  return name.length > 120 ? `${name.slice(0, 120)}…` : name.trim();
}
