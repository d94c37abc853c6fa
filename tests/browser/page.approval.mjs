// Checks that tools which have to be allowed ask for it on the page, and go on asking after a reload.
//
//   DRAGOMAN=target/debug/dragoman node tests/browser/page.approval.mjs [part of a check's name]

import assert from "node:assert/strict";

import { LOST } from "./page.played.mjs";
import { answered, ask, Checks, lastAnswer, launch, open, picture, until } from "./page.support.mjs";
import { Server } from "./server.mjs";

const EVIL = "</code><img src=x onerror=alert(1)>";
const SCRIPT = {
  scenarios: [
    {
      when: { contains: "hostile" },
      steps: [
        [{ call: { name: "search_columns", arguments: { pattern: EVIL } } }],
        [{ text: "That was it." }],
      ],
    },
    {
      when: { contains: "twice" },
      steps: [
        [
          { text: "I will look at both. " },
          { call: { name: "search_columns", arguments: { pattern: "*_eur" } } },
          { call: { name: "search_columns", arguments: { pattern: "*_key" } } },
        ],
        [{ text: "Both are looked at." }],
      ],
    },
    {
      steps: [
        [
          { text: "I will look. " },
          { call: { name: "search_columns", arguments: { pattern: "*_eur", limit: 3 } } },
        ],
        [{ text: "There they are." }],
      ],
    },
  ],
};

const browser = await launch();
const checks = new Checks(browser, process.argv[2]);

// Starts a server of its own, and ends it whatever the check does.
async function withServer(check, settings) {
  const server = await new Server({
    script: SCRIPT,
    "tools.ask": "search_*",
    ...settings,
  }).start();
  server.settings.http = server.http;
  try {
    await check(server);
  } finally {
    await server.kill();
  }
}

const notes = (page) => page.locator(".approval-note").allInnerTexts();
const press = (page, name) => page.locator(`.approval.waits .${name}`).first().click();

await checks.run("a call is approved after a reload, and both tabs show it", (page, context) =>
  withServer(async (server) => {
    const address = server.url("/?session=reload");
    const other = await context.newPage();
    for (const tab of [page, other]) await open(tab, address);
    await ask(page, "Which columns?");
    for (const tab of [page, other]) await tab.waitForSelector(".approval.waits");
    assert.equal(
      await page.locator(".approval pre").innerText(),
      JSON.stringify({ limit: 3, pattern: "*_eur" }, null, 2),
    );
    assert.match(await page.locator(".approval").innerText(), /search_columns/);
    await picture(page, "approval");

    await page.reload();
    await page.waitForSelector(".approval.waits");
    assert.equal(await page.locator(".approval").count(), 1);
    await press(page, "approve");
    for (const tab of [page, other]) await answered(tab, 1);
    assert.deepEqual(await notes(page), ["You approved it."]);
    assert.deepEqual(await notes(other), ["Approved."]);
    for (const tab of [page, other]) {
      assert.equal(await tab.locator(".approval-buttons:visible").count(), 0);
      assert.equal(await tab.locator(".tool").count(), 1);
      assert.match(await lastAnswer(tab), /I will look\.[^]*There they are\./);
    }
    // Afterwards it is history.
    await page.reload();
    await answered(page, 1);
    assert.deepEqual(await notes(page), ["Approved."]);
  }),
);

await checks.run("a call is denied by keyboard, and the answer goes on", (page) =>
  withServer(async (server) => {
    await open(page, server.url("/?session=keyboard"));
    await ask(page, "Which columns?");
    await page.waitForSelector(".approval.waits");
    await page.focus(".approval pre");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    assert.equal(await focused(), "Deny");
    await page.keyboard.press("Enter");
    await answered(page, 1);
    assert.deepEqual(await notes(page), ["You denied it. The tool was not used."]);
    assert.match(await page.locator(".tool-summary").innerText(), /failed: the user did not allow/);
    assert.match(await lastAnswer(page), /There they are\./);
  }),
);

await checks.run("of two calls each is decided by itself", (page) =>
  withServer(async (server) => {
    await open(page, server.url("/?session=twice"));
    await ask(page, "Look twice");
    await until(async () => (await page.locator(".approval.waits").count()) === 2, "two cards");
    await press(page, "deny");
    await until(async () => (await page.locator(".approval.waits").count()) === 1, "one card");
    await press(page, "approve");
    await answered(page, 1);
    const said = ["You denied it. The tool was not used.", "You approved it."];
    assert.deepEqual(await notes(page), said);
    assert.equal(await page.locator(".tool.failed").count(), 1);
  }),
);

await checks.run("arguments are data, whatever is in them", (page) =>
  withServer(async (server) => {
    await open(page, server.url("/?session=hostile"));
    await ask(page, "something hostile");
    await page.waitForSelector(".approval.waits");
    assert.ok((await page.locator(".approval pre").innerText()).includes(EVIL));
    assert.equal(await page.locator(".approval img").count(), 0);
    await press(page, "deny");
    await answered(page, 1);
  }),
);

await checks.run("nobody's decision, a stop, and the server's death each end the wait", (page) =>
  withServer(
    async (server) => {
      await open(page, server.url("/?session=ends"));
      await ask(page, "first");
      await answered(page, 1);
      await ask(page, "second");
      await page.waitForSelector(".approval.waits");
      await page.click("#stop");
      await answered(page, 2);
      await ask(page, "third");
      await page.waitForSelector(".approval.waits");
      await server.kill();
      await page.waitForSelector("[data-state=waiting]");
      await server.start();
      await answered(page, 3);
      const over = "The answer ended before anybody decided.";
      const said = ["Nobody decided in time. The tool was not used.", over, over];
      assert.deepEqual(await notes(page), said);
      assert.equal(await page.locator(".approval-buttons:visible").count(), 0);
    },
    { "tools.approval_timeout": "2s" },
  ),
  { allowed: LOST },
);

await browser.close();
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed === 0 && checks.passed > 0 ? 0 : 1;
