// Names of conversations and of questions.

// 128 random bits as 32 hexadecimal digits. crypto.randomUUID exists only on https and localhost.
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The conversation this page shows: named in its URL, so that a reload, a bookmark or a second
// tab finds it again.
export function sessionOfPage() {
  const url = new URL(location.href);
  const named = url.searchParams.get("session");
  if (named) return named;
  const session = randomId();
  url.searchParams.set("session", session);
  history.replaceState(null, "", url);
  return session;
}

// What the server accepts. Anything else would change the path of the WebSocket's address.
export function isSessionId(text) {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}
