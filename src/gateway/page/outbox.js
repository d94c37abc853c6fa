// Questions that were asked and not yet taken by the server, in order. They outlive a reload.

import { randomId } from "./ids.js";

export class Outbox {
  #key;
  #questions;

  constructor(session) {
    this.#key = `dragoman.outbox.${session}`;
    this.#questions = this.#load();
  }

  get questions() {
    return [...this.#questions];
  }

  // The id makes sending repeatable: the server runs a question once, however often it comes.
  add(content) {
    const question = { id: randomId(), content };
    this.#questions.push(question);
    this.#save();
    return question;
  }

  // Gives the question with this id, and forgets it.
  take(id) {
    const index = this.#questions.findIndex((question) => question.id === id);
    if (index < 0) return undefined;
    const [question] = this.#questions.splice(index, 1);
    this.#save();
    return question;
  }

  #load() {
    try {
      const stored = JSON.parse(sessionStorage.getItem(this.#key) ?? "[]");
      return stored.filter(
        ({ id, content }) => typeof id === "string" && typeof content === "string",
      );
    } catch {
      return [];
    }
  }

  // A browser may forbid storage, or have none left: then the questions live as long as the page.
  #save() {
    try {
      if (this.#questions.length === 0) sessionStorage.removeItem(this.#key);
      else sessionStorage.setItem(this.#key, JSON.stringify(this.#questions));
    } catch {
      // Nothing to do: only a reload would have needed it.
    }
  }
}
