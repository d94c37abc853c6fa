// Checks what the page makes of frames.

import assert from "node:assert/strict";

import { frame, isQuestion, play, user } from "./page.played.mjs";
import { ask, answered, open, picture, until } from "./page.support.mjs";

export async function checkFrames(checks) {
  await checks.run("tools are shown where they were used", async (page) => {
    const before = "Pozriem sa: žltý kôň. ";
    await play(page, (socket) => {
      socket.send(user({ content: "live" }, 1));
      socket.send(frame("agent_partial", before));
      socket.send(frame("tool", "[1,2,3]", { seq: 3, tool_name: "list_tables" }));
      socket.send(frame("tool", '{"error":"no such table"}', { seq: 5, tool_name: "get_lineage" }));
      socket.send(frame("agent_partial", `${before}Tri.`));
      socket.send(frame("agent", `${before}Tri.`, { seq: 6 }));
      // From the log alone: the offset says where.
      const bytes = new TextEncoder().encode(before).length;
      const log = { turn_id: "from-the-log" };
      socket.send(user({ content: "log" }, 7, log));
      socket.send(
        frame("tool", "not JSON", { ...log, seq: 8, tool_name: "x", text_offset: bytes }),
      );
      socket.send(frame("agent", `${before}Tri.`, { ...log, seq: 9 }));
    });
    await open(page);
    await answered(page, 2);
    const shown = (turn) =>
      page
        .locator(".turn")
        .nth(turn)
        .locator(".answer > :not(.working):not(:empty)")
        .evaluateAll((parts) =>
          parts.map((part) => part.querySelector(".tool-summary")?.textContent ?? part.textContent),
        );
    assert.deepEqual(await shown(0), [before.trim(), "3 items", "failed: no such table", "Tri."]);
    assert.deepEqual(await shown(1), [before.trim(), "not JSON", "Tri."]);
    assert.equal(await page.locator(".tool.failed").count(), 1);
  });

  await checks.run("a long tool result is cut, but copied whole", async (page, context) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const content = JSON.stringify([{ text: "x".repeat(60_000) }]);
    await play(page, (socket) => {
      socket.send(user({ content: "q" }, 1));
      socket.send(frame("tool", content, { seq: 2, tool_name: "t" }));
      socket.send(frame("agent", "a", { seq: 3 }));
    });
    await open(page);
    await page.click(".tool summary");
    assert.ok((await page.locator(".tool pre").innerText()).length <= 20_000);
    assert.match(await page.locator(".tool-foot").innerText(), /40,0\d\d more characters/);
    await page.click(".tool .copy");
    await page.waitForSelector(".tool .copy:text('copied')");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.deepEqual(JSON.parse(copied), JSON.parse(content));
  });

  await checks.run("a question that was not taken goes back to the field", async (page) => {
    const limit = "Too many questions: 20 in any 60 s. Try again in 42 s.";
    await play(page, (socket) => {
      socket.receive((message) => {
        if (isQuestion(message)) socket.send({ type: "error", content: limit, id: message.id });
      });
    });
    await open(page);
    await ask(page, "one too many");
    await page.waitForSelector("#pending .notice");
    assert.equal(await page.inputValue("#question"), "one too many");
    assert.equal(await page.locator(".pending").count(), 0);
    assert.match(await page.locator("#pending .notice").innerText(), /Try again in 42 s/);
    await picture(page, "10-not-taken");
    await page.press("#question", "Enter");
    await until(
      async () => (await page.locator("#pending .notice").count()) === 1,
      "one notice, not two",
    );
    assert.equal(await page.inputValue("#question"), "one too many");
  });

  await checks.run("a failed turn says why and can be asked again", async (page) => {
    const asked = [];
    await play(page, (socket) => {
      socket.receive((message) => {
        if (!isQuestion(message)) return;
        asked.push(message);
        const turn = { turn_id: `turn-${asked.length}` };
        socket.send(user(message, asked.length * 2 - 1, turn));
        socket.send(
          frame("error", "Agent error: the model is gone", { ...turn, seq: asked.length * 2 }),
        );
      });
    });
    await open(page);
    await ask(page, "why?");
    await answered(page, 1);
    assert.match(await page.locator(".turn .notice").innerText(), /the model is gone/);
    await picture(page, "11-failed");
    await page.click(".turn .notice button");
    await answered(page, 2);
    assert.deepEqual(
      asked.map(({ content }) => content),
      ["why?", "why?"],
    );
    assert.notEqual(asked[0].id, asked[1].id);
  });

  await checks.run("Escape stops the answer", async (page) => {
    const cancels = [];
    await play(page, (socket) => {
      socket.receive((message) => {
        if (isQuestion(message)) {
          socket.send(user(message, 1));
          socket.send(frame("agent_partial", "Once upon"));
        } else if (message.type === "cancel") {
          cancels.push(message);
          socket.send(frame("agent", "Once upon", { seq: 2, finish: "cancelled" }));
        }
      });
    });
    await open(page);
    assert.ok(await page.locator("#stop").isHidden());
    await ask(page, "tell me");
    await page.waitForSelector("text=Once upon");
    assert.ok(await page.locator("#stop").isVisible());
    await page.keyboard.press("Escape");
    await answered(page, 1);
    assert.deepEqual(cancels, [{ type: "cancel", turn_id: user({}).turn_id }]);
    assert.match(await page.locator(".foot").innerText(), /stopped/);
    assert.ok(await page.locator("#stop").isHidden());
  });

  await checks.run("a reader who scrolled up is left in peace", async (page) => {
    let server;
    await play(page, (socket) => (server = socket));
    await open(page);
    server.send(user({ content: "long" }, 1));
    const text = (paragraphs) => "A paragraph of the answer.\n\n".repeat(paragraphs);
    const grow = async (paragraphs) => {
      server.send(frame("agent_partial", text(paragraphs)));
      await page.waitForFunction(
        (count) => document.querySelectorAll(".markdown p").length === count,
        paragraphs,
      );
      return page.evaluate(() => [
        scrollY,
        document.documentElement.scrollHeight - innerHeight - scrollY,
      ]);
    };
    const [, below] = await grow(60);
    assert.ok(below < 5, "the page follows a reader at the end");
    await page.evaluate(() => window.scrollTo(0, 300));
    await page.waitForSelector("#newest:visible");
    const [top] = await grow(90);
    assert.equal(top, 300);
    await page.click("#newest");
    const [, belowAgain] = await grow(100);
    assert.ok(belowAgain < 5, "the page follows again");
  });

  await checks.run("of a running answer only the end is drawn again", async (page) => {
    let server;
    await play(page, (socket) => (server = socket));
    await open(page);
    server.send(user({ content: "q" }, 1));
    const paragraphs = Array.from({ length: 50 }, (_, index) => `Paragraph ${index} `.repeat(8));
    server.send(frame("agent_partial", paragraphs.slice(0, 2).join("\n\n")));
    await page.waitForSelector("text=Paragraph 1");
    await page.evaluate(() => (window.first = document.querySelector(".markdown p")));
    for (let end = 3; end <= paragraphs.length; end += 1) {
      server.send(frame("agent_partial", paragraphs.slice(0, end).join("\n\n")));
    }
    server.send(frame("agent", paragraphs.join("\n\n"), { seq: 2 }));
    await answered(page, 1);
    assert.equal(await page.locator(".markdown p").count(), 50);
    assert.ok(await page.evaluate(() => window.first === document.querySelector(".markdown p")));
  });

  await checks.run("finished answers are announced, partials are not", async (page) => {
    let server;
    await play(page, (socket) => (server = socket));
    await open(page);
    server.send(user({ content: "q" }, 1));
    const above = "A paragraph.\n\n".repeat(99);
    const other = { turn_id: "other" };
    server.send(frame("agent", above, { seq: 2 }));
    server.send(user({ content: "q" }, 3, other));
    await page.evaluate(() => window.scrollTo(0, 0));
    server.send(frame("agent_partial", "Twelve", other));
    await page.waitForSelector("text=Twelve");
    assert.equal(await page.locator("#announcer").innerText(), "");
    server.send(frame("agent", "Twelve **tables**.", { ...other, seq: 4 }));
    await answered(page, 2);
    assert.equal((await page.locator("#announcer").innerText()).trim(), "Answer: Twelve tables.");
  });
}
