// The WebSocket of one session. It heals itself: a new connection continues after the last frame
// that was seen, and sends again what the server has not taken.
//
// It tells its listener:
//   state({ name, retryAt, code, reason })   name: connecting, connected, waiting or refused
//   frame(frame)                             each frame of the session's log once, and partials
//   gap(frame)                               forget every frame so far; the log follows again
//   refused(question, reason)                the server did not take a question (may be undefined)
//   queued(id, ahead)                        a question waits, and that many before it
//   undecided(callId, reason)                what was said of a call that waits was not taken

// Of an answer that grows the server sends only what is new.
const DELTA = "dragoman.v1.delta";
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
// A connection that lived this long was a good one: the next failure starts with a short delay.
const GOOD_AFTER = 5_000;
const CONNECT_TIMEOUT = 15_000;
const CHECK_SILENCE_EVERY = 5_000;

const CLOSED = {
  goingAway: 1001,
  tooBig: 1009,
  invalidSession: 4001,
  originNotAllowed: 4003,
};
const NOT_RETRIED = [CLOSED.invalidSession, CLOSED.originNotAllowed];

export class Connection {
  #address;
  #outbox;
  #listener;
  #socket = null;
  #timers = [];
  #isWaiting = false;
  #failures = 0;
  // Connections in a row that were never open.
  #neverOpen = 0;
  #hasSpokenDelta = false;
  #seen = 0;
  #openedAt = 0;
  #heardAt = 0;
  #pingedAt = 0;
  #pingInterval = 0;

  constructor(address, outbox, listener) {
    this.#address = address;
    this.#outbox = outbox;
    this.#listener = listener;
  }

  // Connects now, whatever was planned; does nothing if a connection is there.
  connect() {
    if (this.#socket) return;
    this.#clearTimers();
    this.#isWaiting = false;
    this.#openedAt = 0;
    const address = new URL(this.#address);
    address.searchParams.set("after", this.#seen);
    const socket = new WebSocket(address, this.#protocols());
    this.#socket = socket;
    this.#listener.state({ name: "connecting" });

    // A socket that was given up may still speak; nobody listens.
    const current = (react) => (event) => this.#socket === socket && react(event);
    socket.addEventListener(
      "open",
      current(() => this.#opened()),
    );
    socket.addEventListener(
      "message",
      current((event) => this.#heard(event.data)),
    );
    socket.addEventListener(
      "close",
      current((event) => this.#closed(event.code, event.reason)),
    );
    this.#after(CONNECT_TIMEOUT, () => this.#openedAt === 0 && this.#giveUp());
  }

  // Connects now if that is planned for later.
  hurry() {
    if (this.#isWaiting) this.connect();
  }

  // Leaves without a plan to come back.
  disconnect() {
    this.#clearTimers();
    this.#isWaiting = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  ask(content) {
    const question = this.#outbox.add(content);
    this.#send(question);
    return question;
  }

  // True if the wish could be sent.
  cancel(turnId) {
    return this.#send({ type: "cancel", turn_id: turnId });
  }

  // True if it could be sent. Which turn is meant is said, for the next one may ask for something else.
  decide(turnId, callId, approved) {
    return this.#send({ type: "approve", turn_id: turnId, call_id: callId, approved });
  }

  #opened() {
    this.#clearTimers();
    this.#openedAt = this.#heardAt = Date.now();
    this.#neverOpen = 0;
    this.#hasSpokenDelta ||= this.#socket.protocol === DELTA;
    this.#pingedAt = this.#pingInterval = 0;
    this.#listener.state({ name: "connected" });
    for (const question of this.#outbox.questions) this.#send(question);
    this.#watchSilence();
  }

  #heard(data) {
    this.#heardAt = Date.now();
    const frame = parse(data);
    switch (frame?.type) {
      case "ping":
        if (this.#pingedAt > 0) this.#pingInterval = this.#heardAt - this.#pingedAt;
        this.#pingedAt = this.#heardAt;
        this.#send({ type: "pong" });
        break;
      case "gap":
        this.#seen = 0;
        this.#listener.gap(frame);
        break;
      case "error":
        if (frame.turn_id) this.#deliver(frame);
        else if (frame.call_id) this.#listener.undecided(frame.call_id, String(frame.content ?? ""));
        else this.#refused(frame);
        break;
      case "user":
        this.#outbox.take(frame.id);
        this.#deliver(frame);
        break;
      case "agent_partial":
        this.#listener.frame(frame);
        break;
      case "queued":
        this.#listener.queued(frame.id, frame.ahead ?? 0);
        break;
      case "agent":
      case "approval":
      case "approval_decision":
      case "tool":
        this.#deliver(frame);
        break;
      default: // Of a newer server.
    }
  }

  // A partial is no entry of the log: it may carry the position it will end at. All others count.
  #deliver(frame) {
    if (Number.isSafeInteger(frame.seq)) {
      if (frame.seq <= this.#seen) return;
      this.#seen = frame.seq;
    }
    this.#listener.frame(frame);
  }

  // An error outside a turn says that a question was not taken: the one it names, or the last.
  #refused(frame) {
    const id = frame.id ?? this.#outbox.questions.at(-1)?.id;
    this.#listener.refused(this.#outbox.take(id), String(frame.content ?? ""));
  }

  #closed(code, reason) {
    const wasGood = this.#openedAt > 0 && Date.now() - this.#openedAt > GOOD_AFTER;
    this.#socket = null;
    this.#clearTimers();
    if (NOT_RETRIED.includes(code)) {
      this.#listener.state({ name: "refused", code, reason });
      return;
    }
    if (code === CLOSED.tooBig) this.#refuseLongest();
    if (this.#openedAt === 0) this.#neverOpen += 1;
    if (wasGood) this.#failures = 0;
    const delay = this.#delayAfter(code);
    this.#listener.state({ name: "waiting", retryAt: Date.now() + delay });
    this.#isWaiting = true;
    this.#after(delay, () => this.connect());
  }

  // Sent again, it would close the next connection too.
  #refuseLongest() {
    const [longest] = this.#outbox.questions.sort((a, b) => b.content.length - a.content.length);
    if (!longest) return;
    const question = this.#outbox.take(longest.id);
    this.#listener.refused(question, "The question is too long. Shorten it, then ask again.");
  }

  // A browser does not open a connection whose server, or a proxy before it, does not choose what
  // was offered, and does not say so. So now and then nothing is offered; the page understands both.
  #protocols() {
    const every = this.#hasSpokenDelta ? 4 : 2;
    return this.#neverOpen % every === every - 1 ? [] : [DELTA];
  }

  // A server that leaves has others beside it, or comes back; but it may also leave again and again.
  #delayAfter(code) {
    const isFirst = this.#failures === 0;
    const delay = this.#nextDelay();
    return code === CLOSED.goingAway && isFirst ? 0 : delay;
  }

  // Doubles from 1 s to 30 s; up to half of it is cut by chance, so that pages which lost the
  // same server do not come back in one wave.
  #nextDelay() {
    const full = Math.min(FIRST_DELAY * 2 ** this.#failures, LONGEST_DELAY);
    this.#failures += 1;
    return full * (1 - Math.random() / 2);
  }

  // A connection can die without a word. The time between the server's pings says how much silence
  // is normal.
  #watchSilence() {
    this.#after(CHECK_SILENCE_EVERY, () => {
      const silence = Date.now() - this.#heardAt;
      if (this.#pingInterval > 0 && silence > 2.5 * this.#pingInterval) this.#giveUp();
      else this.#watchSilence();
    });
  }

  #giveUp() {
    const socket = this.#socket;
    this.#closed(1006, "");
    socket?.close();
  }

  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #after(delay, action) {
    this.#timers.push(setTimeout(action, delay));
  }

  #clearTimers() {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
  }
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
