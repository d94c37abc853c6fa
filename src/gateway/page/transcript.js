// The conversation: applies the server's frames to the turns on the page.

import { announce } from "./announcer.js";
import { element } from "./dom.js";
import { Turn } from "./turn.js";

export class Transcript {
  #root;
  #askAgain;
  #decide;
  #turns = new Map();
  #last = null;

  // `askAgain(content)` asks a question once more, `decide(turnId, callId, approved)` says whether a call that waits
  // may be run.
  constructor(root, askAgain, decide) {
    this.#root = root;
    this.#askAgain = askAgain;
    this.#decide = decide;
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

  // What was said of a call that waits was not taken.
  undecided(callId, reason) {
    this.running?.undecided(callId, reason);
  }

  // The connection is another one.
  reconnect() {
    this.running?.reconnect();
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
      case "approval":
        turn.askApproval(frame, (approved) => this.#decide(turn.id, frame.call_id, approved));
        announce(`Permission is needed to use ${frame.tool_name ?? "a tool"}.`);
        break;
      case "approval_decision":
        turn.decide(frame.call_id, frame.decision);
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
