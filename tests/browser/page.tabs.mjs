// A tab as its reader sees it, whichever client it runs: the product's page, or the seed's.

import assert from "node:assert/strict";

import { answered, ask, open, until } from "./page.support.mjs";

// Those who extend it `open(url, session)`, `ask(question)`, wait until so many questions have
// `ended(count)`, and give the `turns()` that the reader sees: question, text and error of each.
class Tab {
  // How many it has made, or tried to make.
  connections = 0;

  constructor(page) {
    this.page = page;
    page.on("websocket", () => (this.connections += 1));
  }

  // Waits until more than `length` characters of the answer are there, and gives them.
  growing(question, length = 40) {
    return until(async () => {
      const turn = (await this.turns()).find((turn) => turn.question === question);
      return turn?.text.length > length && turn.text;
    }, `an answer of more than ${length} characters`);
  }

  // Cuts its connection, and waits until it has made another one.
  async reconnects(cut) {
    const before = this.connections;
    await cut();
    await until(() => this.connections > before, "another connection");
  }

  // What the session's log holds up to the end of its `count`th turn, as type and content. It is
  // read by the tab's browser, beside the tab's own connection.
  log(count) {
    return this.page.evaluate(readLog, [this.address, count]);
  }
}

export class PageTab extends Tab {
  open(url, session) {
    this.address = socketAddress(url, session);
    return open(this.page, `${url}?session=${session}`);
  }

  ask(question) {
    return ask(this.page, question);
  }

  async ended(count) {
    await answered(this.page, count);
    assert.ok(await this.page.isEditable("#question"), "the field is locked");
  }

  turns() {
    return this.page.locator(".turn").evaluateAll((turns) =>
      turns.map((turn) => ({
        question: turn.querySelector("h2")?.innerText ?? "",
        text: turn.querySelector(".markdown").innerText,
        error: turn.querySelector(".notice p")?.innerText ?? "",
      })),
    );
  }
}

const SHOWN_AS = { user: "question", agent_partial: "text", agent: "text", error: "error" };

// The seed document's reconnecting client, and a reader who shows whatever it is sent: an end that
// came twice would be there twice.
export class SeedTab extends Tab {
  // `home` is where the client is loaded from.
  constructor(page, home) {
    super(page);
    this.home = home;
  }

  async open(url, session) {
    this.address = socketAddress(url, session);
    await this.page.goto(this.home);
    await this.page.evaluate((address) => {
      const client = new window.ReconnectingWebSocket();
      const { connect } = client;
      window.client = client;
      window.received = [];
      // The client calls this for each connection; who listens, the document leaves to its reader.
      client.connect = (address) => {
        connect.call(client, address);
        client.ws.onmessage = ({ data }) => window.received.push(JSON.parse(data));
      };
      client.connect(address);
    }, this.address);
    await this.page.waitForFunction(() => window.client.ws.readyState === WebSocket.OPEN);
  }

  ask(question) {
    return this.page.evaluate((content) => {
      window.client.ws.send(JSON.stringify({ content }));
    }, question);
  }

  async ended(count) {
    await this.page.waitForFunction((count) => {
      const ends = window.received.filter(({ type }) => ["agent", "error"].includes(type));
      return ends.length >= count;
    }, count);
  }

  async turns() {
    const turns = [];
    let running;
    for (const { type, content } of await this.page.evaluate(() => window.received)) {
      if (!(type in SHOWN_AS)) continue;
      if (!running) {
        running = { question: "", text: "", error: "" };
        turns.push(running);
      }
      running[SHOWN_AS[type]] = content;
      if (["agent", "error"].includes(type)) running = undefined;
    }
    return turns;
  }
}

function socketAddress(url, session) {
  return `${url.replace("http", "ws")}ws/${session}`;
}

// Runs in the browser.
function readLog([address, count]) {
  return new Promise((resolve, reject) => {
    const events = [];
    let ends = 0;
    const socket = new WebSocket(`${address}?after=0`);
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code} after ${ends} turns`));
    socket.onmessage = ({ data }) => {
      const { type, content } = JSON.parse(data);
      if (["ping", "agent_partial"].includes(type)) return;
      events.push([type, content]);
      if (type !== "user") ends += 1;
      if (ends < count) return;
      resolve(events);
      socket.close();
    };
  });
}
