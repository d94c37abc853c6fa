// Checks the page in a real browser against a running server with the demo catalog and the guide.
//
//   DRAGOMAN_URL=http://localhost:8000 node tests/browser/page.mjs [part of a check's name]
//
// Needs Node 20, the npm package playwright-core (in NODE_PATH) and Chromium. With
// DRAGOMAN_SCREENSHOTS=FOLDER it leaves pictures there.

import assert from "node:assert/strict";

import { checkConnection } from "./page.connection.mjs";
import { checkDelta } from "./page.delta.mjs";
import { checkDiagrams } from "./page.diagram.mjs";
import { checkFrames } from "./page.frames.mjs";
import { checkMarkdown } from "./page.markdown.mjs";
import {
  answered,
  ask,
  clickSuggestion,
  Checks,
  lastAnswer,
  launch,
  open,
  picture,
} from "./page.support.mjs";

const HOSTILE = [
  '<img src=x onerror="window.hacked = 1"><script>window.hacked = 2</script>',
  "[a](javascript:window.hacked=3) <iframe srcdoc='<script>top.hacked=4</script>'></iframe>",
  "</textarea></article><svg onload=window.hacked=5> ![b](x) | c |\n|---|",
].join("\n");

const browser = await launch();
const checks = new Checks(browser, process.argv[2]);

await checks.run("three suggested questions get right answers", async (page) => {
  await open(page);
  await picture(page, "1-empty");

  await clickSuggestion(page, "List all tables");
  await answered(page, 1);
  assertContains(await lastAnswer(page), ["fact_bs_purchase_order_item", "dimv_bs_supplier"]);
  await picture(page, "2-list");

  await clickSuggestion(page, "How is the supplier related");
  await answered(page, 2);
  assertContains(await lastAnswer(page), [
    "supplier_key",
    "order_number",
    "fact_bs_purchase_order",
  ]);
  await picture(page, "3-relationship");

  await clickSuggestion(page, "Where does fact_bs_purchase_order come from?");
  await answered(page, 3);
  assertContains(await lastAnswer(page), ["src_sap_ekko"]);
  await picture(page, "4-lineage");
});

await checks.run("every suggested question is answered from the catalog", async (page) => {
  await open(page);
  const suggestions = await page.locator("#suggestions button").all();
  for (const [index, suggestion] of suggestions.entries()) {
    const text = await suggestion.innerText();
    await suggestion.click();
    await answered(page, index + 1);
    const turn = page.locator(".turn").last();
    assert.equal(await turn.locator(".notice").count(), 0, `"${text}" failed`);
    if (text !== "What can you do?") {
      assert.ok((await turn.locator(".tool").count()) > 0, `"${text}" used no tool`);
    }
  }
});

await checks.run("a tool card opens and shows the result", async (page) => {
  await open(page);
  await ask(page, "List all tables");
  await answered(page, 1);
  const card = page.locator(".tool", { hasText: "list_tables" }).first();
  assert.equal(await card.locator("pre").count(), 0, "the card was open already");
  await card.locator("summary").click();
  const result = JSON.parse(await card.locator("pre").innerText());
  assert.match(JSON.stringify(result), /dimv_bs_supplier/);
  assert.match(await card.locator(".tool-summary").innerText(), /\d+ \w+/);
  await picture(page, "5-card");
});

await checks.run("markup in a question stays text and runs nothing", async (page) => {
  await open(page);
  await ask(page, HOSTILE);
  await answered(page, 1);
  assert.equal(await page.locator(".question h2").innerText(), HOSTILE);
  assert.equal(await page.locator("main :is(img, script, iframe, .answer svg)").count(), 0);
  const links = await page.locator("main .turn a").evaluateAll((all) => all.map((a) => a.protocol));
  assert.deepEqual(
    links.filter((protocol) => !/^(https?|mailto):$/.test(protocol)),
    [],
  );
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  await picture(page, "6-hostile");
});

await checks.run("a reload shows the whole transcript and asks nothing again", async (page) => {
  await open(page);
  await ask(page, "Which columns contain a currency?");
  await answered(page, 1);
  await ask(page, "Aké stĺpce má dimv_bs_supplier?");
  await answered(page, 2);
  const before = await page.locator("#transcript").innerText();

  const sent = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(payload)));
  await page.reload();
  await answered(page, 2);
  assert.equal(await page.locator("#transcript").innerText(), before);
  await page.waitForTimeout(500);
  assert.deepEqual(
    sent.filter((frame) => frame.includes("content")),
    [],
  );
  assert.equal(await page.locator(".turn").count(), 2);
});

await checks.run("two tabs on one session show the same", async (page, context) => {
  await open(page);
  const other = await context.newPage();
  await open(other, new URL(page.url()).search);
  await ask(page, "List all dimensions");
  await answered(other, 1);
  await answered(page, 1);
  await ask(other, "Which columns contain a currency?");
  await answered(page, 2);
  await answered(other, 2);
  const text = (tab) => tab.locator("#transcript").innerText();
  assert.equal(await text(page), await text(other));
});

await checks.run("the trace id of an answer is copied", async (page, context) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page);
  await ask(page, "List all tables");
  await answered(page, 1);
  const trace = await page.locator(".trace code").innerText();
  assert.match(trace, /^[0-9a-f]{32}$/);
  await page.locator(".trace .copy").click();
  await page.waitForSelector(".trace .copy:text('copied')");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), trace);
});

await checks.run("everything can be done by keyboard", async (page) => {
  await open(page);
  assert.equal(await page.evaluate(() => document.activeElement.id), "question");
  await page.keyboard.type("List all");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("tables");
  assert.equal(await page.inputValue("#question"), "List all\ntables");
  await page.keyboard.press("Enter");
  await answered(page, 1);
  assert.equal(await page.inputValue("#question"), "");

  await tabBackTo(page, "#suggestions button");
  await page.keyboard.press("Enter");
  await answered(page, 2);
  await tabBackTo(page, ".trace .copy");
  await tabBackTo(page, ".tool summary");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".tool[open] pre");
  await tabBackTo(page, ".new");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.querySelector(".turn"));
});

await checks.run(
  "360 pixels are enough",
  async (page) => {
    await open(page);
    await assertNoSidewaysScroll(page, "empty");
    await picture(page, "7-small-empty");
    await clickSuggestion(page, "Which columns contain a currency?");
    await answered(page, 1);
    await page.locator(".tool summary").first().click();
    await ask(page, `a_very_long_name_${"x".repeat(200)}`);
    await answered(page, 2);
    await assertNoSidewaysScroll(page, "with answers");
    await picture(page, "8-small");
  },
  { options: { viewport: { width: 360, height: 740 }, hasTouch: true } },
);

for (const colorScheme of ["light", "dark"]) {
  await checks.run(
    `${colorScheme} colours can be read`,
    async (page) => {
      await open(page);
      await ask(page, "Where does fact_bs_purchase_order come from?");
      await answered(page, 1);
      await page.locator(".tool summary").first().click();
      await page.waitForSelector(".tool pre");
      const colours = await page.evaluate(measureColours);
      assert.equal(colours.page < 0.2, colorScheme === "dark", "the page's background");
      for (const [what, contrast] of colours.contrasts) {
        assert.ok(contrast >= 4.5, `${what} has a contrast of only ${contrast.toFixed(2)}`);
      }
      await picture(page, `9-${colorScheme}`);
    },
    { options: { colorScheme } },
  );
}

await checkMarkdown(checks);
await checkDiagrams(checks);
await checkFrames(checks);
await checkConnection(checks);
await checkDelta(checks);

await browser.close();
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed > 0 || checks.passed === 0 ? 1 : 0;

function assertContains(text, facts) {
  for (const fact of facts) assert.ok(text.includes(fact), `"${fact}" is not in:\n${text}`);
}

async function assertNoSidewaysScroll(page, when) {
  const [needed, there] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(needed <= there, `${when}: the page is ${needed} pixels wide, the window ${there}`);
}

// Also checks that every stop on the way can be seen to have the focus.
async function tabBackTo(page, selector) {
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press("Shift+Tab");
    const focus = await page.evaluate((wanted) => {
      const { activeElement } = document;
      const { outlineStyle } = getComputedStyle(activeElement);
      const isField = activeElement.id === "question";
      return {
        name: activeElement.outerHTML.slice(0, 80),
        isSeen: isField || outlineStyle !== "none" || activeElement === document.body,
        isThere: activeElement.matches(wanted),
      };
    }, selector);
    assert.ok(focus.isSeen, `nobody sees the focus on ${focus.name}`);
    if (focus.isThere) return;
  }
  assert.fail(`${selector} is not reached by Shift+Tab`);
}

// Contrast as WCAG 2 defines it, of the text against the nearest background. Runs in the page.
function measureColours() {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = numbers(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return numbers(colour)[3] === 0 ? background(node.parentElement) : colour;
  };
  const texts = [
    ".brand",
    ".connection-text",
    ".new",
    ".question h2",
    ".question time",
    ".markdown",
    ".markdown code",
    ".tool-name",
    ".tool-summary",
    ".tool pre",
    ".foot time",
    ".trace code",
    ".copy",
    "#suggestions button",
    ".send",
    ".keys",
  ];
  const contrasts = texts.map((selector) => {
    const node = document.querySelector(selector);
    if (!node) return [`${selector}, which is missing,`, 0];
    const pair = [luminance(getComputedStyle(node).color), luminance(background(node))];
    return [selector, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)];
  });
  return { page: luminance(background(document.body)), contrasts };
}
