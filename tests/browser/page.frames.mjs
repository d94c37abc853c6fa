// Checks how the page behaves on frames and closes that the real server rarely sends: the server
// is played by the test.

import assert from "node:assert/strict";

import { ask, answered, base, open, picture, play, until } from "./page.support.mjs";

const TURN = "0123456789abcdef0123456789abcdef";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const LOST = /WebSocket connection to/;

const frame = (type, content, more = {}) => ({
  type,
  content,
  turn_id: TURN,
  trace_id: TRACE,
  timestamp: "2026-01-02T03:04:05.678Z",
  ...more,
});
const user = (question, seq, more) =>
  frame("user", question.content, { seq, id: question.id, ...more });
const isQuestion = (message) => message.content !== undefined;

export async function checkFrames(checks) {
  await checks.run(
    "a lost connection resumes and loses or repeats nothing",
    async (page) => {
      const asked = [];
      const addresses = [];
      await play(page, (socket, address, number) => {
        addresses.push(address.searchParams.get("after"));
        socket.receive((message) => {
          if (!isQuestion(message)) return;
          asked.push(message);
          if (number === 1 && asked.length === 1) {
            socket.send(user(message, 1));
            // The position a partial will end at is not one that was reached.
            socket.send(frame("agent_partial", "Half", { seq: 2 }));
          } else if (number === 1) {
            // The second question is never echoed.
            socket.close(1011, "Internal error, reconnect");
          } else {
            socket.send(user(message, 3, { turn_id: "b" }));
            socket.send(user(message, 3, { turn_id: "b" }));
            socket.send(frame("agent", "Second", { seq: 4, turn_id: "b" }));
          }
        });
        if (number === 2) socket.send(frame("agent", "Half and half", { seq: 2 }));
      });
      await open(page);
      await ask(page, "first");
      await page.waitForSelector("text=Half");
      await ask(page, "second");
      await page.waitForSelector("[data-state=waiting]");
      await answered(page, 2);
      assert.deepEqual(addresses, ["0", "1"]);
      assert.deepEqual(
        asked.map(({ content }) => content),
        ["first", "second", "second"],
      );
      assert.equal(asked[1].id, asked[2].id);
      assert.deepEqual(await page.locator(".question h2").allInnerTexts(), ["first", "second"]);
      const answers = await page.locator(".markdown:not(:empty)").allInnerTexts();
      assert.deepEqual(answers, ["Half and half", "Second"]);
    },
    { allowed: LOST },
  );

  await checks.run(
    "a question that was never sent outlives a reload",
    async (page) => {
      await play(page, (socket, address, number) => {
        if (number === 1) socket.close(1011, "");
        socket.receive((message) => {
          if (number < 3 || !isQuestion(message)) return;
          socket.send(user(message, 1));
          socket.send(frame("agent", "Here", { seq: 2 }));
        });
      });
      await page.goto(new URL("/", base).href);
      await ask(page, "still there?");
      await page.waitForSelector(".pending");
      await page.reload();
      await page.reload();
      await answered(page, 1);
      assert.equal(await page.locator(".question h2").innerText(), "still there?");
    },
    { allowed: LOST },
  );

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

  await checks.run(
    "a question that is too big is not sent for ever",
    async (page) => {
      let questions = 0;
      await play(page, (socket) => {
        socket.receive((message) => {
          if (!isQuestion(message)) return;
          questions += 1;
          socket.close(1009, "Message too big, send less");
        });
      });
      await open(page);
      await ask(page, "very long");
      await page.waitForSelector("[data-state=waiting]");
      await page.waitForSelector("[data-state=connected]");
      await page.waitForTimeout(300);
      assert.equal(questions, 1);
      assert.equal(await page.inputValue("#question"), "very long");
    },
    { allowed: LOST },
  );

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
    assert.deepEqual(cancels, [{ type: "cancel", turn_id: TURN }]);
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
    server.send(frame("agent_partial", "Twelve"));
    await page.waitForSelector("text=Twelve");
    assert.equal(await page.locator("#announcer").innerText(), "");
    server.send(frame("agent", "Twelve **tables**.", { seq: 2 }));
    await answered(page, 1);
    assert.equal((await page.locator("#announcer").innerText()).trim(), "Answer: Twelve tables.");
  });

  await checks.run("pings are answered, unknown frames are not fatal", async (page) => {
    const received = [];
    await play(page, (socket) => {
      socket.receive((message) => received.push(message));
      socket.send("not JSON");
      socket.send("null");
      socket.send({ type: "of-tomorrow", content: { a: 1 } });
      socket.send({ type: "ping" });
      socket.send(user({ content: "q" }, 1));
      socket.send(frame("agent", "a", { seq: 2, diagram: "erDiagram", metrics: {} }));
    });
    await open(page);
    await answered(page, 1);
    await until(() => received.length > 0, "a pong");
    assert.deepEqual(received, [{ type: "pong" }]);
  });

  await checks.run(
    "a gap clears what was shown, and the log follows",
    async (page) => {
      await play(page, (socket, address, number) => {
        if (number === 1) {
          socket.send(user({ content: "old" }, 7));
          socket.send(frame("agent", "old", { seq: 8 }));
          setTimeout(() => socket.close(1011, ""), 200);
        } else {
          assert.equal(address.searchParams.get("after"), "8");
          socket.send({ type: "gap", content: "The history you have is out of date." });
          socket.send(user({ content: "new" }, 1, { turn_id: "n" }));
          socket.send(frame("agent", "new", { seq: 2, turn_id: "n" }));
        }
      });
      await open(page);
      await page.waitForSelector(".question:has-text('new')");
      assert.deepEqual(await page.locator(".question h2").allInnerTexts(), ["new"]);
      assert.match(await page.locator("#transcript .notice").innerText(), /out of date/);
    },
    { allowed: LOST },
  );

  for (const [code, explanation] of [
    [4001, /Start a new conversation/],
    [4003, /does not accept pages from/],
    [1008, /token expired/],
  ]) {
    await checks.run(
      `close code ${code} is explained and not retried`,
      async (page) => {
        let connections = 0;
        await play(page, (socket) => {
          connections += 1;
          socket.close(code, code === 1008 ? "token expired" : "");
        });
        await page.goto(base);
        await page.waitForSelector("#refusal:visible");
        assert.match(await page.locator("#refusal").innerText(), explanation);
        await page.waitForTimeout(1_500);
        assert.equal(connections, 1);
        await picture(page, `12-refused-${code}`);
      },
      { allowed: LOST },
    );
  }

  await checks.run(
    "a name that cannot be a session's is explained without a connection",
    async (page) => {
      let connections = 0;
      await play(page, () => (connections += 1));
      const address = new URL("/?session=..%2Fadmin", base);
      await page.goto(address.href);
      await page.waitForSelector("#refusal:visible");
      assert.equal(connections, 0);
    },
  );

  await checks.run(
    "waits grow between attempts, and the reader sees it",
    async (page) => {
      const times = [];
      await play(page, (socket) => {
        times.push(Date.now());
        socket.close(1013, "Too many connections, try again later");
      });
      await page.goto(base);
      await page.waitForSelector("[data-state=waiting] >> text=/in \\d+ s/");
      await picture(page, "13-reconnecting");
      await until(() => times.length >= 4, "four attempts");
      const waits = times.slice(1).map((time, index) => time - times[index]);
      [1_000, 2_000, 4_000].forEach((full, index) => {
        const wait = waits[index];
        assert.ok(wait >= full / 2 - 50 && wait <= full + 900, `wait ${index + 1} was ${wait} ms`);
      });
      await page.waitForSelector("#retry:visible");
      await page.click("#retry");
      await until(() => times.length >= 5, "an attempt at once");
      assert.ok(times[4] - times[3] < 3_000);
    },
    { allowed: LOST },
  );
}
