// A server that the checks play themselves, for frames and closes the real one rarely sends.

const TURN = "0123456789abcdef0123456789abcdef";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

// What the browser's console says when a connection is lost.
export const LOST = /WebSocket connection to/;

// A server that plays frames in place of the real one. `serve(socket, address, number)` is called
// for each connection; `socket.receive(action)` gets what the page sends, parsed.
export async function play(page, serve) {
  let number = 0;
  await page.routeWebSocket(/\/ws\//, (route) => {
    const socket = {
      send: (frame) => route.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
      close: (code, reason) => route.close({ code, reason }),
      receive: (action) => route.onMessage((text) => action(JSON.parse(text))),
    };
    number += 1;
    serve(socket, new URL(route.url()), number);
  });
}

// A frame of a turn, of the same turn unless `more` names another.
export function frame(type, content, more = {}) {
  const timestamp = "2026-01-02T03:04:05.678Z";
  return { type, content, turn_id: TURN, trace_id: TRACE, timestamp, ...more };
}

// The echo of a question.
export function user(question, seq, more) {
  return frame("user", question.content, { seq, id: question.id, ...more });
}

export function isQuestion(message) {
  return message.content !== undefined;
}
