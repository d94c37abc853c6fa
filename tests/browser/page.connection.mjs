// Checks how the page keeps its connection, and that it loses and repeats nothing.

import assert from "node:assert/strict";

import { frame, isQuestion, LOST, play, user } from "./page.played.mjs";
import { ask, answered, base, open, picture, until } from "./page.support.mjs";

export async function checkConnection(checks) {
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
  ]) {
    await checks.run(
      `close code ${code} is explained and not retried`,
      async (page) => {
        let connections = 0;
        await play(page, (socket) => {
          connections += 1;
          socket.close(code, "");
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
