// What the checks of the page share: the browser, the list of checks, steps a reader would take.

import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// require, because it also looks into NODE_PATH: the package is not installed in this folder.
const { chromium } = createRequire(import.meta.url)("playwright-core");

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PATIENCE = 30_000;

export const base = process.env.DRAGOMAN_URL ?? "http://localhost:8000";

export async function launch() {
  const executablePath = process.env.DRAGOMAN_CHROMIUM ?? BROWSERS.find(existsSync);
  assert.ok(
    executablePath,
    "no Chromium found: install the package chromium, or set DRAGOMAN_CHROMIUM",
  );
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

// A list of checks, run one after the other, each on a page of its own. A failed one does not stop
// the others.
export class Checks {
  #browser;
  #only;
  passed = 0;
  failed = 0;

  constructor(browser, only) {
    this.#browser = browser;
    this.#only = only;
  }

  // Whatever a check does, the page must not break its own rules meanwhile: no error in the
  // console, no exception, no dialog, nothing the content security policy had to stop.
  async run(name, check, { options = {}, allowed } = {}) {
    if (this.#only && !name.includes(this.#only)) return;
    const context = await this.#browser.newContext({
      viewport: { width: 1100, height: 800 },
      ...options,
    });
    const trouble = [];
    try {
      const page = await context.newPage();
      await watch(page, trouble);
      await check(page, context);
      const unexpected = trouble.filter((text) => !allowed?.test(text));
      assert.deepEqual(unexpected, [], "the page made trouble");
      this.passed += 1;
      console.log(`ok      ${name}`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED  ${name}\n${indent(error.message)}\n${indent(trouble.join("\n"))}`);
    } finally {
      await context.close();
    }
  }
}

async function watch(page, trouble) {
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) trouble.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => trouble.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.exposeFunction("reportViolation", (text) => trouble.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
}

export async function open(page, query = "") {
  await page.goto(new URL(query, base).href);
  await page.waitForSelector("[data-state=connected]");
}

export async function ask(page, question) {
  await page.fill("#question", question);
  await page.press("#question", "Enter");
}

// Waits until `count` questions are answered and nothing runs or waits any more.
export async function answered(page, count) {
  await page.waitForFunction(
    (expected) =>
      document.querySelectorAll(".turn:not(.running)").length === expected &&
      !document.querySelector(".running, .pending"),
    count,
  );
}

export function lastAnswer(page) {
  return page.locator(".turn").last().locator(".answer").innerText();
}

export async function clickSuggestion(page, text) {
  await page.locator("#suggestions button", { hasText: text }).click();
}

// Waits until `condition` gives something true.
export async function until(condition, what) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < deadline, `waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function picture(page, name) {
  const folder = process.env.DRAGOMAN_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

function indent(text) {
  return text.replaceAll(/^/gm, "        ");
}
