// One question and its answer on the page: text and tool cards in the order in which they came.

import { ApprovalCard } from "./approval_card.js";
import { copyButton } from "./clipboard.js";
import { button, element, timeOf } from "./dom.js";
import { drawingOf } from "./drawing.js";
import { MarkdownView } from "./markdown.js";
import { toolCard } from "./tool_card.js";

export class Turn {
  isRunning = true;
  // True if the reader asked, or saw the answer grow: then its end is news.
  isNews = false;

  #askAgain;
  #question = element("div", { class: "question" });
  #body = element("div", { class: "answer", "aria-busy": "true" });
  #drawing = element("div", { class: "drawing" });
  #foot = element("footer", { class: "foot" });
  #text = "";
  // The answer is cut where tools were used: piece, card, piece, card, …, piece.
  #pieces = [new MarkdownView()];
  #cuts = [];
  #approvals = new Map();
  #frame = 0;

  // `askAgain(content)` is called if the turn failed and the reader wants to repeat it.
  constructor(id, askAgain) {
    this.id = id;
    this.#askAgain = askAgain;
    this.#body.append(this.#pieces[0].element, element("p", { class: "working" }, "Working on it"));
    this.element = element(
      "article",
      { class: "turn running" },
      this.#question,
      this.#body,
      this.#drawing,
      this.#foot,
    );
  }

  // What is known of the answer, Markdown.
  get text() {
    return this.#text;
  }

  get answerText() {
    return this.#pieces.map(({ element: { innerText } }) => innerText).join("\n");
  }

  ask(content, timestamp) {
    this.content = content;
    this.#question.replaceChildren(element("h2", {}, content), timeOf(timestamp));
  }

  // The text so far. Drawn with the next picture of the screen; of several texts only the newest.
  grow(text) {
    this.isNews = true;
    this.#text = text;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.isRunning) this.#draw();
    });
  }

  // The tool was used after `bytes` bytes of the text; without that, after the text that is known.
  useTool(name, content, bytes) {
    this.#cut(toolCard(name, content), bytes);
  }

  // A call of a tool waits until somebody allows it; `decide(approved)` says what the reader thinks.
  askApproval(frame, decide) {
    const card = new ApprovalCard(frame, decide);
    this.#approvals.set(card.callId, card);
    this.#cut(card.element, frame.text_offset);
    this.#showWaiting();
  }

  decide(callId, decision) {
    this.#approvals.get(callId)?.decide(decision);
    this.#showWaiting();
  }

  undecided(callId, reason) {
    this.#approvals.get(callId)?.refuse(reason);
  }

  reconnect() {
    for (const card of this.#approvals.values()) card.reconnect();
  }

  // Puts a card after `bytes` bytes of the text; without that, after the text that is known.
  #cut(card, bytes) {
    this.#cuts.push({ bytes, at: bytes === undefined ? this.#text.length : undefined });
    const piece = new MarkdownView();
    this.#pieces.at(-1).element.after(card, piece.element);
    this.#pieces.push(piece);
    this.#draw();
  }

  #showWaiting() {
    const cards = [...this.#approvals.values()];
    this.element.classList.toggle("asking", cards.some(({ isWaiting }) => isWaiting));
  }

  // `frame` may have what can be drawn of it.
  answer(text, { finish, timestamp, traceId }, frame) {
    this.#text = text;
    this.#drawing.replaceChildren(...drawingOf(frame));
    this.#end(traceId, timestamp, finish && FINISHED[finish]);
  }

  fail(message, { timestamp, traceId }) {
    this.#end(traceId, timestamp, "failed");
    const notice = element("div", { class: "notice" }, element("p", {}, message));
    if (this.content) {
      notice.append(button("Ask again", {}, () => this.#askAgain(this.content)));
    }
    this.#body.append(notice);
  }

  #end(traceId, timestamp, how) {
    this.isRunning = false;
    for (const card of this.#approvals.values()) card.abandon();
    this.#showWaiting();
    cancelAnimationFrame(this.#frame);
    this.element.classList.remove("running");
    this.#body.removeAttribute("aria-busy");
    this.#draw();
    this.#foot.append(timeOf(timestamp));
    if (how) this.#foot.append(element("span", {}, how));
    if (traceId) this.#foot.append(drawTrace(traceId));
  }

  #draw() {
    let from = 0;
    this.#pieces.forEach((piece, index) => {
      const isLast = index === this.#pieces.length - 1;
      const to = isLast ? this.#text.length : Math.max(from, this.#cutAt(index));
      piece.update(this.#text.slice(from, to), isLast && this.isRunning);
      from = to;
    });
  }

  #cutAt(index) {
    const cut = this.#cuts[index];
    if (cut.at !== undefined) return cut.at;
    const at = indexOfByte(this.#text, cut.bytes);
    // What comes later does not move it.
    if (at < this.#text.length) cut.at = at;
    return at;
  }
}

const FINISHED = { cancelled: "stopped", truncated: "cut off: the answer became too long" };

// Where byte `bytes` of the UTF-8 text is in the string; its end if the text is shorter.
function indexOfByte(text, bytes) {
  let at = 0;
  let left = bytes;
  while (left > 0 && at < text.length) {
    const code = text.codePointAt(at);
    left -= code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    at += code < 0x10000 ? 1 : 2;
  }
  return at;
}

function drawTrace(traceId) {
  return element(
    "span",
    { class: "trace", title: "Names this answer in the logs and in the tracing system" },
    "trace ",
    element("code", {}, traceId),
    copyButton("copy", `Copy the trace id ${traceId}`, () => traceId),
  );
}
