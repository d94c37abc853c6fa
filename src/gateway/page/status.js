// Shows how the connection is, and what to do if it was refused.

import { announce } from "./announcer.js";
import { button, element } from "./dom.js";

const REFUSED = {
  4001: "This conversation's name is not valid. Start a new conversation.",
  4003:
    `The server does not accept pages from ${location.origin}. ` +
    "Ask who runs it to add this origin to its list.",
};

export class Status {
  #root = document.getElementById("connection");
  #text = document.getElementById("connection-text");
  #retry = document.getElementById("retry");
  #refusal = document.getElementById("refusal");
  #tick = 0;
  #said = "connecting";

  constructor(retry) {
    this.#retry.addEventListener("click", retry);
    this.#refusal.append(
      element("p"),
      button("Try again", {}, retry),
      element("a", { class: "button", href: "./" }, "New conversation"),
    );
  }

  show({ name, retryAt, code, reason }) {
    clearInterval(this.#tick);
    this.#root.dataset.state = name;
    this.#retry.hidden = name !== "waiting";
    this.#refusal.hidden = name !== "refused";
    switch (name) {
      case "connecting":
        this.#text.textContent = "Connecting…";
        break;
      case "connected":
        this.#text.textContent = "Connected";
        if (this.#said !== "connecting") announce("Connected again");
        this.#said = name;
        break;
      case "refused":
        this.#text.textContent = "Not connected";
        this.#refusal.firstChild.textContent = REFUSED[code] + (reason ? ` (${reason})` : "");
        break;
      case "waiting":
        this.#countDown(retryAt);
        if (this.#said === "connected") announce("Connection lost. Reconnecting.");
        this.#said = name;
        break;
    }
  }

  // Seconds are for eyes only: read out, they would drown everything else.
  #countDown(retryAt) {
    const show = () => {
      const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1_000));
      const lost = navigator.onLine ? "Reconnecting" : "Offline, trying again";
      this.#text.textContent = seconds > 0 ? `${lost} in ${seconds} s` : `${lost}…`;
    };
    show();
    this.#tick = setInterval(show, 500);
  }
}
