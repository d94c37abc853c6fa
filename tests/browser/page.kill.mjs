// Checks that a tab outlives its server: the process is killed in mid-answer and started again.
//
//   DRAGOMAN=target/debug/dragoman node tests/browser/page.kill.mjs [part of a check's name]

import assert from "node:assert/strict";

import { LOST } from "./page.played.mjs";
import { answered, ask, Checks, lastAnswer, launch, open, until } from "./page.support.mjs";
import { Server } from "./server.mjs";

const TEXT = "A slow answer comes in small pieces, so that there is time to kill somebody. ".repeat(3);
const SCRIPT = {
  scenarios: [
    {
      when: { contains: "slowly" },
      steps: [[{ cut: { text: TEXT, characters: 4, pause_ms: 40 } }]],
    },
    { steps: [[{ pieces: ["Here ", "I am."] }]] },
  ],
};

const browser = await launch();
const checks = new Checks(browser, process.argv[2]);

// Starts a server of its own, and ends it whatever the check does.
async function withServer(check) {
  const server = await new Server({ script: SCRIPT }).start();
  // From now on always at the same address.
  server.settings.http = server.http;
  try {
    await check(server);
  } finally {
    await server.kill();
  }
}

async function growing(page) {
  await page.waitForFunction(() => document.querySelector(".running .answer")?.innerText.length > 40);
}

// The field can be used, and what is asked is answered.
async function works(page, count) {
  assert.ok(await page.isEditable("#question"));
  await ask(page, `And now? ${count}`);
  await answered(page, count);
  assert.match(await lastAnswer(page), /Here I am\./);
}

await checks.run(
  "a tab whose server is killed in mid-answer is told how it ended",
  (page) =>
    withServer(async (server) => {
      await open(page, server.url("/?session=killed"));
      await ask(page, "answer slowly");
      await growing(page);
      await server.kill();
      await page.waitForSelector("[data-state=waiting]");
      assert.ok(await page.isEditable("#question"), "the field is locked");
      await server.start();
      await answered(page, 1);
      const turn = page.locator(".turn").first();
      // What ran was in the process that died: the turn is sealed.
      assert.match(await turn.locator(".notice").innerText(), /Agent error: .*interrupted|stopped|again/is);
      assert.match(await turn.locator(".answer").innerText(), /A slow answer comes/);
      assert.deepEqual(await page.locator(".question h2").allInnerTexts(), ["answer slowly"]);
      await works(page, 2);
    }),
  { allowed: LOST },
);

await checks.run(
  "what is asked while no server is there is answered when one is, once",
  (page) =>
    withServer(async (server) => {
      await open(page, server.url("/?session=absent"));
      await ask(page, "answer slowly");
      await growing(page);
      await ask(page, "in the queue");
      await page.waitForSelector(".pending");
      await server.kill();
      await page.waitForSelector("[data-state=waiting]");
      await ask(page, "to nobody");
      await server.start();
      await answered(page, 3);
      const questions = await page.locator(".question h2").allInnerTexts();
      assert.deepEqual(questions, ["answer slowly", "in the queue", "to nobody"]);
      await works(page, 4);
    }),
  { allowed: LOST },
);

await checks.run(
  "two tabs of one conversation outlive three kills and show the same",
  (page, context) =>
    withServer(async (server) => {
      const other = await context.newPage();
      for (const tab of [page, other]) await open(tab, server.url("/?session=thrice"));
      for (let turn = 1; turn <= 3; turn += 1) {
        await ask(page, `answer slowly ${turn}`);
        await growing(page);
        await growing(other);
        await server.kill();
        await server.start();
        for (const tab of [page, other]) await answered(tab, turn);
      }
      const shown = (tab) => tab.locator(".question h2, .turn .notice p").allInnerTexts();
      assert.deepEqual(await shown(page), await shown(other));
      await works(page, 4);
      await until(async () => (await other.locator(".turn").count()) === 4, "the other tab's turn");
    }),
  { allowed: LOST },
);

await browser.close();
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed === 0 && checks.passed > 0 ? 0 : 1;
