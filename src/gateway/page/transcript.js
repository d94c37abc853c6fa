// The conversation: applies the server's frames to the turns on the page.

import { announce } from "./announcer.js";
import { element } from "./dom.js";
import { Turn } from "./turn.js";

export class Transcript {
  #root;
  #askAgain;
  #turns = new Map();
  #last = null;

  // `askAgain(content)` asks a question once more.
  constructor(root, askAgain) {
    this.#root = root;
    this.#askAgain = askAgain;
  }

  get isEmpty() {
    return this.#turns.size === 0;
  }

  get firstQuestion() {
    return this.#turns.values().next().value?.content;
  }

  // The turn that is being answered. Turns of a session run one after the other.
  get running() {
    return this.#last?.isRunning ? this.#last : null;
  }

  // Forgets everything. `why` is for the reader.
  clear(why) {
    this.#turns.clear();
    this.#last = null;
    this.#root.replaceChildren(element("p", { class: "notice" }, why));
  }

  // `isOurs` marks the question that was asked on this page.
  apply(frame, isOurs) {
    if (frame.type === "agent_partial") {
      const turn = this.#turnOf(frame);
      if (!turn.isRunning) return;
      if (typeof frame.delta === "string") turn.grow(turn.text + frame.delta);
      else turn.grow(textOf(frame));
      return;
    }
    const turn = this.#turnOf(frame);
    turn.isNews ||= isOurs;
    this.#change(turn, frame);
  }

  #change(turn, frame) {
    const end = { finish: frame.finish, timestamp: frame.timestamp, traceId: frame.trace_id };
    switch (frame.type) {
      case "user":
        turn.ask(textOf(frame), frame.timestamp);
        break;
      case "tool":
        turn.useTool(frame.tool_name ?? "tool", textOf(frame), frame.text_offset);
        break;
      case "agent":
        turn.answer(textOf(frame), end, frame);
        if (turn.isNews) announce(`Answer: ${turn.answerText}`);
        break;
      case "error":
        turn.fail(textOf(frame), end);
        if (turn.isNews) announce(textOf(frame));
        break;
    }
  }

  // Frames without a turn id, of an older server, belong to the turn that runs.
  #turnOf(frame) {
    const known = frame.turn_id ? this.#turns.get(frame.turn_id) : this.running;
    if (known && !(frame.type === "user" && !frame.turn_id)) return known;
    const turn = new Turn(frame.turn_id, this.#askAgain);
    this.#turns.set(turn.id ?? turn, turn);
    this.#last = turn;
    this.#root.append(turn.element);
    return turn;
  }
}

function textOf(frame) {
  return typeof frame.content === "string" ? frame.content : JSON.stringify(frame.content ?? "");
}
