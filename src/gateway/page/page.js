// Puts the page together: what the reader does goes to the connection, what the server says goes
// to the transcript.

import { Connection } from "./connection.js";
import { Follow } from "./follow.js";
import { isSessionId, sessionOfPage } from "./ids.js";
import { Outbox } from "./outbox.js";
import { Pending } from "./pending.js";
import { Status } from "./status.js";
import { Transcript } from "./transcript.js";

const part = (id) => document.getElementById(id);
const input = part("question");
const stop = part("stop");

let isConnected = false;
// The turn that was asked to stop.
let stopping = null;

const session = sessionOfPage();
const outbox = new Outbox(session);
const follow = new Follow(part("sheet"), part("end"), part("newest"));
const pending = new Pending(part("pending"));
const transcript = new Transcript(part("transcript"), ask, (turnId, callId, approved) =>
  connection.decide(turnId, callId, approved),
);
const status = new Status(connect);
const connection = new Connection(addressOf(session), outbox, {
  state(state) {
    isConnected = state.name === "connected";
    stopping = null;
    if (isConnected) transcript.reconnect();
    else pending.forgetOrder();
    status.show(state);
    refresh();
  },
  frame(frame) {
    const isOurs = frame.type === "user" && pending.remove(frame.id);
    if (frame.type === "user") pending.advance();
    transcript.apply(frame, isOurs);
    refresh();
  },
  queued(id, ahead) {
    pending.queue(id, ahead);
    refresh();
  },
  gap(frame) {
    transcript.clear(frame.content ?? "The conversation was restored on the server.");
    refresh();
  },
  undecided(callId, reason) {
    transcript.undecided(callId, reason);
  },
  refused(question, reason) {
    putBack(question, reason);
    refresh();
  },
});
// === What the reader does ===

part("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const content = input.value.trim();
  input.focus();
  if (content === "") return;
  input.value = "";
  ask(content);
});

input.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter chooses it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  part("composer").requestSubmit();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) stopAnswer();
});

part("suggestions").addEventListener("click", (event) => {
  const suggestion = event.target.closest("button");
  if (suggestion) ask(suggestion.textContent);
});

stop.addEventListener("click", () => {
  stopAnswer();
  input.focus();
});

function ask(content) {
  pending.clearNotices();
  pending.add(connection.ask(content));
  refresh();
  follow.toEnd();
}

function stopAnswer() {
  const { running } = transcript;
  if (running && connection.cancel(running.id)) stopping = running;
  refresh();
}

// A refused question goes back to where it was written, unless something else is there by now.
function putBack(question, reason) {
  const isFree = input.value.trim() === "";
  if (question && isFree) input.value = question.content;
  pending.refuse(question, reason, question && !isFree ? () => ask(question.content) : undefined);
}

// === What the page shows besides the conversation ===

function refresh() {
  const { running } = transcript;
  document.body.classList.toggle("empty", transcript.isEmpty && pending.isEmpty);
  stop.hidden = !running;
  stop.disabled = running !== null && running === stopping;
  stop.textContent = stop.disabled ? "Stopping…" : "Stop";
  pending.explain(waitingFor(running));
  const topic = transcript.firstQuestion;
  const title = topic ? `${topic.slice(0, 60)} · dragoman` : "dragoman";
  if (document.title !== title) document.title = title;
}

function waitingFor(running) {
  if (!isConnected) return "Will be sent when the connection is back.";
  return running ? "Waits for the answer above." : "Sent.";
}

// === The connection ===

function addressOf(name) {
  // Beside this page, wherever a proxy may have put it.
  const address = new URL(`ws/${encodeURIComponent(name)}`, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}

function connect() {
  if (isSessionId(session)) connection.connect();
  else status.show({ name: "refused", code: 4001 });
}

// Good moments to try, whatever the plan was.
window.addEventListener("online", () => connection.hurry());
document.addEventListener("visibilitychange", () => !document.hidden && connection.hurry());
// A page that the browser keeps for its back button must not hold a connection.
window.addEventListener("pagehide", () => connection.disconnect());
window.addEventListener("pageshow", (event) => event.persisted && connect());

for (const question of outbox.questions) pending.add(question);
refresh();
connect();
