// A tool call that waits until somebody allows it: what it would do, two buttons, and what came of it.

import { button, element, timeOf } from "./dom.js";

const LONGEST_SHOWN = 20_000;

export class ApprovalCard {
  isWaiting = true;

  #said;
  #buttons;
  #note = element("p", { class: "approval-note", role: "status" });

  // `decide(approved)` is called when the reader has decided; it is true if that could be sent.
  constructor({ call_id, tool_name, arguments: text, expires_at }, decide) {
    this.callId = call_id;
    const name = String(tool_name ?? "a tool");
    const say = (approved) => () => {
      if (!this.isWaiting || this.#said !== undefined || !decide(approved)) return;
      this.#said = approved;
      this.#refresh();
    };
    this.#buttons = [
      button("Approve", { class: "approve", "aria-label": `Approve the use of ${name}` }, say(true)),
      button("Deny", { class: "deny", "aria-label": `Deny the use of ${name}` }, say(false)),
    ];
    const until = timeOf(expires_at);
    this.#note.append("It is run only if you approve it", until && " by ", until, ".");
    this.element = element(
      "section",
      { class: "approval waits", "aria-label": `Permission to use ${name}` },
      element("p", {}, "May this tool be used? ", element("code", { class: "tool-name" }, name)),
      element(
        "pre",
        { tabindex: "0", role: "region", "aria-label": `Arguments of ${name}` },
        element("code", {}, shown(text)),
      ),
      element("div", { class: "approval-buttons" }, ...this.#buttons),
      this.#note,
    );
  }

  // What counts, whoever said it.
  decide(decision) {
    if (!this.isWaiting) return;
    const words = WORDS[decision] ?? [`Decided: ${decision}`];
    const isOurs = this.#said === (decision === "approved") && decision !== "timed_out";
    this.#end(isOurs ? words[1] : words[0]);
  }

  // The decision of this page was not taken.
  refuse(reason) {
    if (!this.isWaiting) return;
    this.#said = undefined;
    this.#note.replaceChildren(reason);
    this.#refresh();
  }

  // The connection is another one: what was said on the old one may be lost, and to say it again does no harm.
  reconnect() {
    this.#said = undefined;
    this.#refresh();
  }

  // The turn is over.
  abandon() {
    if (this.isWaiting) this.#end("The answer ended before anybody decided.");
  }

  #end(words) {
    this.isWaiting = false;
    this.element.classList.remove("waits");
    this.#note.replaceChildren(words);
    this.#refresh();
  }

  #refresh() {
    for (const each of this.#buttons) each.disabled = !this.isWaiting || this.#said !== undefined;
  }
}

// What is said if somebody else decided, and if this page did.
const WORDS = {
  approved: ["Approved.", "You approved it."],
  denied: ["Denied. The tool was not used.", "You denied it. The tool was not used."],
  timed_out: ["Nobody decided in time. The tool was not used."],
};

// `text` should hold JSON. If it does not, it is shown as it is.
function shown(text) {
  let whole = String(text ?? "");
  try {
    whole = JSON.stringify(JSON.parse(whole), null, 2);
  } catch {
    // As it is.
  }
  const rest = whole.length - LONGEST_SHOWN;
  if (rest <= 0) return whole;
  return `${whole.slice(0, LONGEST_SHOWN)}\n… ${rest.toLocaleString()} more characters are not shown`;
}
