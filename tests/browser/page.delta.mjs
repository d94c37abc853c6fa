// Checks how the page is told of a growing answer, and how it shows that a question waits.

import assert from "node:assert/strict";

import { frame, isQuestion, LOST, play, user } from "./page.played.mjs";
import { answered, ask, base, lastAnswer, open, picture, until } from "./page.support.mjs";
import { Proxy } from "./proxy.mjs";

const LONG_QUESTION = "How is the supplier related to purchase orders?";

export async function checkDelta(checks) {
  await checks.run("of a growing answer the page is sent only what is new", async (page) => {
    const partials = received(page);
    await open(page);
    await ask(page, LONG_QUESTION);
    await answered(page, 1);
    assert.ok(partials.length > 3, `only ${partials.length} partials`);
    assert.equal(typeof partials[0].content, "string");
    assert.ok(partials.slice(1).every(({ delta }) => typeof delta === "string"));
  });

  await checks.run(
    "a server that does not choose the subprotocol is understood",
    async (page) => {
      const proxy = await new Proxy([new URL(base).host], {
        without: "sec-websocket-protocol",
      }).start();
      try {
        const partials = received(page);
        await open(page, proxy.url("/"));
        await ask(page, LONG_QUESTION);
        await answered(page, 1);
        assert.match(await lastAnswer(page), /supplier_key/);
        assert.ok(partials.length > 1 && partials.every(({ delta }) => delta === undefined));
      } finally {
        proxy.stop();
      }
    },
    // The refusal is the browser's own; the origin is the proxy's address.
    { allowed: LOST },
  );

  await checks.run("a delta is appended, a content replaces", async (page) => {
    let server;
    await play(page, (socket) => (server = socket));
    await open(page);
    const shows = async (text) => {
      await page.waitForSelector(`.markdown p:text-is("${text}")`);
    };
    server.send(user({ content: "q" }, 1));
    server.send(frame("agent_partial", "Once"));
    server.send(frame("agent_partial", undefined, { delta: " upon" }));
    server.send(frame("agent_partial", undefined, { delta: " a time" }));
    await shows("Once upon a time");
    server.send(frame("agent_partial", "Another story"));
    server.send(frame("agent_partial", undefined, { delta: " begins" }));
    await shows("Another story begins");
    server.send(frame("agent", "Another story begins and ends.", { seq: 2 }));
    await answered(page, 1);
    await shows("Another story begins and ends.");
  });

  await checks.run("a question that waits says so, and the field stays free", async (page) => {
    const asked = [];
    let server;
    await play(page, (socket) => {
      server = socket;
      socket.receive((message) => {
        if (!isQuestion(message)) return;
        asked.push(message);
        if (asked.length === 1) socket.send(user(message, 1));
        else socket.send({ type: "queued", id: message.id, ahead: asked.length - 2 });
      });
    });
    await open(page);
    for (const question of ["first", "second", "third", "fourth"]) {
      assert.ok(await page.isEditable("#question"));
      await ask(page, question);
    }
    const waiting = () => page.locator(".pending .waiting").allInnerTexts();
    const answer = "Waits for the answer above.";
    await until(async () => (await waiting()).at(-1)?.includes("2 questions"), "the third place");
    assert.deepEqual(await waiting(), [
      answer,
      `${answer} 1 question is before it.`,
      `${answer} 2 questions are before it.`,
    ]);
    await picture(page, "14-waiting");
    server.send(frame("agent", "1", { seq: 2 }));
    server.send(user(asked[1], 3, { turn_id: "second" }));
    await until(async () => (await waiting()).length === 2, "the second question's turn");
    assert.deepEqual(await waiting(), [answer, `${answer} 1 question is before it.`]);
  });

  await checks.run(
    "a server that leaves is left at once, one that leaves again is not",
    async (page) => {
      const times = [];
      await play(page, (socket) => {
        times.push(Date.now());
        setTimeout(() => socket.close(1001, "The service is restarting, reconnect"), 300);
      });
      await page.goto(base);
      await until(() => times.length >= 3, "three connections");
      const [first, second] = [times[1] - times[0], times[2] - times[1]];
      assert.ok(first < 800, `the first came after ${first} ms`);
      assert.ok(second > 1_200, `the second came after ${second} ms`);
      assert.ok(await page.isEditable("#question"));
    },
    { allowed: LOST },
  );

  await checks.run(
    "every other close is followed by another connection",
    async (page) => {
      const codes = [1000, 1002, 1007, 1008, 1011, 1013, 4999];
      let connections = 0;
      await play(page, (socket) => {
        connections += 1;
        const code = codes.shift();
        if (code) socket.close(code, "");
      });
      await page.goto(base);
      while (codes.length > 0) {
        await page.waitForSelector("#retry:visible");
        await page.click("#retry");
      }
      await page.waitForSelector("[data-state=waiting], [data-state=connected]");
      assert.ok(connections >= 7);
    },
    { allowed: LOST },
  );
}

// The partials that a page is sent, as they come.
function received(page) {
  const partials = [];
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const frame = JSON.parse(payload.toString());
      if (frame.type === "agent_partial") partials.push(frame);
    }),
  );
  return partials;
}
