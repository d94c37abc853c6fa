// Questions that wait below the conversation: not sent yet, not taken yet, or refused.

import { button, element } from "./dom.js";

export class Pending {
  #root;
  #items = new Map();

  constructor(root) {
    this.#root = root;
  }

  get isEmpty() {
    return this.#root.childElementCount === 0;
  }

  add({ id, content }) {
    const state = element("p", { class: "waiting" });
    const item = element(
      "div",
      { class: "pending" },
      element("p", { class: "asked" }, content),
      state,
    );
    this.#items.set(id, { item, state, ahead: 0 });
    this.#root.append(item);
  }

  // True if the question was here.
  remove(id) {
    this.#items.get(id)?.item.remove();
    return this.#items.delete(id);
  }

  // The server has the question, and will ask it after `ahead` others.
  queue(id, ahead) {
    const waiting = this.#items.get(id);
    if (waiting) waiting.ahead = ahead;
  }

  // One of the questions before has become a turn.
  advance() {
    for (const waiting of this.#items.values()) waiting.ahead = Math.max(0, waiting.ahead - 1);
  }

  // The server that said where questions stand is not there any more.
  forgetOrder() {
    for (const waiting of this.#items.values()) waiting.ahead = 0;
  }

  // Says of every question what it waits for.
  explain(text) {
    for (const { state, ahead } of this.#items.values()) {
      const before = ahead === 1 ? "1 question is" : `${ahead} questions are`;
      state.textContent = ahead > 0 ? `${text} ${before} before it.` : text;
    }
  }

  // Shows why a question was refused. With `again` it can be asked from here.
  refuse(question, reason, again) {
    if (question) this.remove(question.id);
    const notice = element("div", { class: "notice", role: "alert" });
    if (question && again) notice.append(element("p", { class: "asked" }, question.content));
    notice.append(element("p", {}, reason));
    const close = () => notice.remove();
    if (again) {
      notice.append(button("Ask again", {}, () => (close(), again())));
    }
    notice.append(button("Dismiss", {}, close));
    this.#root.append(notice);
  }

  // What was refused before is of no interest once something new is asked.
  clearNotices() {
    for (const notice of this.#root.querySelectorAll(".notice")) notice.remove();
  }
}
