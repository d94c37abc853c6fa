// Checks what the page draws of an answer.

import assert from "node:assert/strict";

import { NAMES, SCRIPT, TYPES, writeHostileCatalog } from "./hostile.mjs";
import { frame, play, user } from "./page.played.mjs";
import { answered, ask, open, picture } from "./page.support.mjs";
import { Server } from "./server.mjs";

export async function checkDiagrams(checks) {
  await checks.run("tables and their links are drawn below the answer", async (page) => {
    await open(page);
    await ask(page, "Describe fact_bs_purchase_order_item");
    await answered(page, 1);
    await picture(page, "7-diagram");
    const before = await drawn(page);
    assert.ok(before.names.includes("fact_bs_purchase_order"), `${before.names}`);
    assert.deepEqual(before.subjects, ["fact_bs_purchase_order_item"]);
    assert.ok(before.columns.includes("net_amount"));
    assert.ok(before.types.includes("numeric(17,2)"), "a type is shown whole");
    assert.equal(before.links.length, 6);
    assert.ok(
      before.links.includes("fact_bs_purchase_order_item → dimv_bs_material: material_key"),
      `${before.links}`,
    );
    assert.match(before.description, /fact_bs_goods_receipt refers to fact_bs_purchase_order_item/);
    assert.deepEqual(await overlaps(page), [], "tables cover each other");
    await page.reload();
    await answered(page, 1);
    assert.deepEqual(await drawn(page), before, "a reload shows something else");
  });

  await checks.run("a lineage is drawn, a list only for who opens it, a talk not at all", async (page) => {
    await open(page);
    await ask(page, "Where does fact_bs_purchase_order come from?");
    await answered(page, 1);
    const { links } = await drawn(page);
    assert.ok(links.includes("fact_bs_purchase_order is made from src_sap_ekko"), `${links}`);
    assert.equal(await page.locator(".er-arrow").count(), links.length);
    await ask(page, "List all tables");
    await answered(page, 2);
    const list = page.locator(".turn").last();
    assert.equal(await list.locator("svg").count(), 0, "nobody has opened it");
    await list.locator(".diagram summary").click();
    await list.locator("svg").waitFor();
    assert.equal(await list.locator(".er-table").count(), 21);
    await picture(page, "8-list-diagram");
    await ask(page, "What can you do?");
    await answered(page, 3);
    assert.equal(await page.locator(".turn").last().locator(".diagram, .metrics").count(), 0);
  });

  await checks.run("the figures of the catalog are shown", async (page) => {
    await open(page);
    await ask(page, "List all tables");
    await answered(page, 1);
    const figures = await page.locator(".metrics li").allInnerTexts();
    assert.deepEqual(figures.slice(0, 5), [
      "catalog",
      "21 tables",
      "155 columns",
      "7 facts",
      "11 dimensions",
    ]);
    assert.match(figures.at(-1), /2026/);
    assert.equal(await page.locator(".metrics .stale").count(), 0);
  });

  await checks.run("hostile names are drawn as they are and run nothing", async (page) => {
    const server = new Server({ script: SCRIPT });
    server.settings.catalog = writeHostileCatalog(server.folder);
    await server.start();
    try {
      await page.goto(server.url("/"));
      await page.waitForSelector("[data-state=connected]");
      await ask(page, "list");
      await answered(page, 1);
      await page.locator(".diagram summary").click();
      await page.waitForSelector("svg");
      const { names } = await drawn(page);
      assert.deepEqual(names.map(shown).sort(), NAMES.map(shown).sort());
      await ask(page, "describe 5");
      await answered(page, 2);
      await picture(page, "9-hostile-diagram");
      const { notes } = await drawn(page);
      for (const type of TYPES) {
        assert.ok(notes.some((note) => note.includes(type)), `${type} is not in ${notes}`);
      }
      assert.equal(await page.locator("main :is(img, script, iframe, foreignObject)").count(), 0);
      assert.equal(await page.evaluate(() => window.hacked), undefined);
    } finally {
      // A page that is left open would look for its server.
      await page.goto("about:blank");
      await server.stop();
    }
  });

  await checks.run("a diagram can be made larger, fitted and copied", async (page, context) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(page);
    await ask(page, "Describe fact_bs_purchase_order_item");
    await answered(page, 1);
    const width = () => page.locator(".er").evaluate((node) => node.getBoundingClientRect().width);
    const frameWidth = await page.locator(".diagram-view").evaluate((node) => node.clientWidth);
    await page.getByRole("button", { name: "Make the diagram larger" }).click();
    await page.getByRole("button", { name: "Make the diagram larger" }).click();
    assert.ok((await width()) > frameWidth);
    // With the keyboard alone.
    await page.getByRole("button", { name: "Fit the diagram" }).press("Enter");
    assert.ok((await width()) <= frameWidth);
    await page.getByRole("button", { name: "Copy the diagram" }).click();
    await page.waitForSelector(".diagram .copy:text('copied')");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^erDiagram\n/);
  });

  await checks.run("what the page cannot draw it shows as text", async (page) => {
    const diagram = "erDiagram\n  A ||--o{ B : <b>has</b>\n  subgraph x\n";
    const canvas = { action: "switch_view", view_type: "er_diagram", reason: "Why.", confidence: 1 };
    const metrics = { total_tables: 1, total_columns: 2, facts_count: 0, dimensions_count: 1 };
    await play(page, (socket) => {
      socket.send(user({ content: "q" }, 1));
      const more = { seq: 2, diagram, canvas_trigger: canvas, metrics: { ...metrics, is_stale: true } };
      socket.send(frame("agent", "a", more));
    });
    await open(page);
    await answered(page, 1);
    await page.waitForSelector(".diagram pre");
    assert.equal(await page.locator(".diagram pre").innerText(), diagram);
    assert.match(await page.locator(".metrics").innerText(), /1 table\b[^]*out of date/);
  });

  for (const colorScheme of ["light", "dark"]) {
    await checks.run(
      `diagrams can be read where it is ${colorScheme}, also on a telephone`,
      async (page) => {
        await open(page);
        await ask(page, "Describe fact_bs_purchase_order_item");
        await answered(page, 1);
        await page.waitForSelector(".er-subject");
        await picture(page, `10-diagram-${colorScheme}`);
        for (const [text, ratio] of await page.evaluate(contrasts)) {
          assert.ok(ratio >= 4.5, `${text}: a contrast of ${ratio}`);
        }
        const sheet = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(sheet, 360, "the page is wider than the screen");
        const isInView = await page.evaluate(() => {
          const frame = document.querySelector(".diagram-view").getBoundingClientRect();
          const box = document.querySelector(".er-subject .er-name").getBoundingClientRect();
          return box.left >= frame.left && box.left < frame.right;
        });
        assert.ok(isInView, "the table that was asked for is out of sight");
      },
      { options: { colorScheme, viewport: { width: 360, height: 740 } } },
    );
  }
}

// What the newest diagram that is open shows.
function drawn(page) {
  return page
    .locator(".er")
    .last()
    .evaluate((picture) => {
      const texts = (selector) =>
        [...picture.querySelectorAll(selector)].map(({ textContent }) => textContent);
      return {
        names: texts(".er-name"),
        subjects: texts(".er-subject .er-name"),
        columns: texts(".er-column"),
        types: texts(".er-type"),
        links: texts(".er-link > title"),
        notes: texts(".er-table > title"),
        description: texts("desc").join(),
      };
    });
}

function overlaps(page) {
  return page.evaluate(() => {
    const boxes = [...document.querySelectorAll(".er-box")].map((box) => box.getBoundingClientRect());
    const meet = (a, b) =>
      a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    return boxes.flatMap((a, place) => boxes.slice(place + 1).filter((b) => meet(a, b)));
  });
}

// In the browser: the contrast of each kind of text with what is behind it.
function contrasts() {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = numbers(colour).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const fill = (selector) => luminance(getComputedStyle(document.querySelector(selector)).fill);
  const pairs = [
    [".er-subject .er-name", ".er-subject .er-head"],
    [".er-table:not(.er-subject) .er-name", ".er-table:not(.er-subject) .er-head"],
    [".er-column", ".er-box"],
    [".er-type", ".er-box"],
    [".er-keys", ".er-box"],
  ];
  return pairs.map(([text, behind]) => {
    const both = [fill(text), fill(behind)];
    return [text, (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05)];
  });
}

// Names are cut where a table would be too wide; a ligature that means something within Mermaid is two letters.
function shown(text) {
  const letters = [...text.replaceAll("ﬂ", "fl")];
  return letters.length > 44 ? `${letters.slice(0, 44).join("")}…` : letters.join("");
}
