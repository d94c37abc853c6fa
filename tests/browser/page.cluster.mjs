// Checks that a tab outlives each process its answer comes through: two gateways and two agents run
// beside a Redis, and what the tab depends on is killed in mid-answer. What it shows is compared
// with the log, which has one end for each question.
//
//   DRAGOMAN=target/debug/dragoman node tests/browser/page.cluster.mjs [part of a check's name]

import assert from "node:assert/strict";

import { Cluster } from "./cluster.mjs";
import { LOST } from "./page.played.mjs";
import { Checks, launch } from "./page.support.mjs";
import { PageTab, SeedTab } from "./page.tabs.mjs";
import { freePort } from "./ports.mjs";
import { bundle, RECONNECTING, servePages } from "./seed.support.mjs";

// An answer says whose it is, and so which process to kill.
const AGENTS = ["agent one", "agent two"];
const SLOWLY = "answer slowly";
const FOR_A_MINUTE = "answer for a minute";

const home = await servePages(await freePort(), { "/": await bundle(RECONNECTING) });
const origin = `http://localhost:${home.address().port}`;
const CLIENTS = {
  "the page": (page) => new PageTab(page),
  "the seed's reconnecting client": (page) => new SeedTab(page, origin),
};

const browser = await launch();
const checks = new Checks(browser, process.argv[2]);

for (const [name, tabOn] of Object.entries(CLIENTS)) {
  for (const [what, check] of [
    ["loses its gateway, then its agent", losesGatewayThenAgent],
    ["loses both during one answer", losesBothInOneAnswer],
  ]) {
    await checks.run(`${name} ${what}`, (page) => withCluster(tabOn(page), check), {
      allowed: LOST,
    });
  }
}

async function losesGatewayThenAgent(tab, cluster) {
  await tab.ask(SLOWLY);
  const agent = agentOf(await tab.growing(SLOWLY));
  await tab.reconnects(() => cluster.gateways[0].kill());
  await tab.ended(1);
  await works(tab, 2);

  await tab.ask(FOR_A_MINUTE);
  const said = await tab.growing(FOR_A_MINUTE);
  await losesItsAgent(tab, cluster, { said, count: 3 });
  await works(tab, 4);

  const [whole, , sealed] = await showsTheLog(tab, 4);
  assert.deepEqual(whole, { question: SLOWLY, text: speech(agent, 16), error: "" });
  assertSealed(sealed, said);
}

async function losesBothInOneAnswer(tab, cluster) {
  await tab.ask(FOR_A_MINUTE);
  const before = await tab.growing(FOR_A_MINUTE);
  await tab.reconnects(() => cluster.gateways[0].kill());
  const said = await tab.growing(FOR_A_MINUTE, before.length + 40);
  assert.ok(said.startsWith(before), `"${before}" is no prefix of "${said}"`);
  await losesItsAgent(tab, cluster, { said, count: 1 });
  await works(tab, 2);

  const [sealed] = await showsTheLog(tab, 2);
  assertSealed(sealed, said);
}

// Kills the agent that has `said` so much, and waits for the end of turn `count`. The gateway lives:
// its tab is told on the connection that it has.
async function losesItsAgent(tab, cluster, { said, count }) {
  const { connections } = tab;
  await cluster.agents[agentOf(said)].kill();
  await tab.ended(count);
  assert.equal(tab.connections, connections, "the gateway has let its tab go");
}

// Starts processes of its own, and ends them whatever the check does.
async function withCluster(tab, check) {
  const scripts = AGENTS.map((_, agent) => scriptOf(agent));
  const cluster = new Cluster({ scripts, origins: [origin] });
  try {
    await cluster.start();
    await tab.open(cluster.url("/"), "outlives");
    await check(tab, cluster);
  } finally {
    await cluster.end();
  }
}

// What is asked next is answered, by whoever is left.
async function works(tab, count) {
  await tab.ask(`And now? ${count}`);
  await tab.ended(count);
  assert.match((await tab.turns()).at(-1).text, /^Here is agent (one|two)\.$/);
}

// Gives what the tab shows: the log's turns, all of them, each once.
async function showsTheLog(tab, count) {
  const turns = await tab.turns();
  const shown = turns.flatMap(({ question, text, error }) => [
    ["user", question],
    error ? ["error", error] : ["agent", text],
  ]);
  assert.deepEqual(shown, await tab.log(count));
  assert.equal(turns.length, count);
  return turns;
}

// The turn of an agent that died: what it had `said` stays, and its reader learns what to do.
function assertSealed({ text, error }, said) {
  assert.ok(text.startsWith(said), `"${said}" is no prefix of "${text}"`);
  assert.ok(speech(agentOf(said), 240).startsWith(text), `nobody has said "${text}"`);
  assert.match(error, /^Agent error: .*ask again/i);
}

function agentOf(text) {
  return AGENTS.findIndex((name) => text.includes(name));
}

// No two of the sentences are the same: nothing can be lost or repeated unseen.
function speech(agent, sentences) {
  const all = Array.from({ length: sentences }, (_, n) => `Sentence ${n + 1} of ${AGENTS[agent]}.`);
  return all.join(" ");
}

function scriptOf(agent) {
  const slowly = (sentences) => ({
    cut: { text: speech(agent, sentences), characters: 4, pause_ms: 40 },
  });
  return {
    scenarios: [
      { when: { exact: SLOWLY }, steps: [[slowly(16)]] },
      { when: { exact: FOR_A_MINUTE }, steps: [[slowly(240)]] },
      { steps: [[{ text: `Here is ${AGENTS[agent]}.` }]] },
    ],
  };
}

await browser.close();
home.close();
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed === 0 && checks.passed > 0 ? 0 : 1;
