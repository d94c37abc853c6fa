// The inside of a Markdown paragraph: emphasis, code, links. It makes text nodes and a closed set
// of elements, so an answer can contain no markup of its own. The work is linear in the length of
// the text, whatever the text is.

import { element, fill } from "./dom.js";

const SAFE_PROTOCOLS = ["http:", "https:", "mailto:"];
const LONGEST_ADDRESS = 2_048;
const DEEPEST = 32;

const SPECIAL = /[\\`*_~[\]!<\n]|https?:\/\//g;
const WHITESPACE = /\s/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/;

// Appends what `text` says to `parent`. With `open` the text is still being written: what is not
// closed yet counts as closed at its end, so that a reader sees no stray marks meanwhile.
export function appendInline(parent, text, open = false) {
  fill(parent, new Inline(text.trim(), open).parse());
}

// A stack of what has been opened. A frame that is closed becomes an element among the children of
// the frame below; one that never is becomes the text it was.
class Inline {
  #text;
  #open;
  #at = 0;
  #frames = [{ children: [] }];
  #noCodeCloser = new Set();

  constructor(text, open) {
    this.#text = text;
    this.#open = open;
  }

  parse() {
    const text = this.#text;
    while (this.#at < text.length) {
      SPECIAL.lastIndex = this.#at;
      const found = SPECIAL.exec(text);
      const next = found ? found.index : text.length;
      this.#append(text.slice(this.#at, next));
      this.#at = next;
      if (found) this.#special(found[0]);
    }
    while (this.#frames.length > 1) this.#dissolve(this.#open);
    return this.#frames[0].children;
  }

  #special(mark) {
    switch (mark) {
      case "\\":
        return this.#escape();
      case "`":
        return this.#code();
      case "*":
      case "_":
      case "~":
        return this.#delimiters(mark);
      case "!":
        if (this.#text[this.#at + 1] === "[") return this.#bracket("![");
        return this.#literal(1);
      case "[":
        return this.#bracket("[");
      case "]":
        return this.#link();
      case "<":
        return this.#autolink();
      case "\n":
        return this.#lineEnd();
      default:
        return this.#bareAddress();
    }
  }

  #append(item) {
    const children = this.#frames.at(-1).children;
    if (typeof item !== "string") children.push(item);
    else if (typeof children.at(-1) === "string") children[children.length - 1] += item;
    else if (item) children.push(item);
  }

  #literal(length) {
    this.#append(this.#text.slice(this.#at, this.#at + length));
    this.#at += length;
  }

  #escape() {
    const next = this.#text[this.#at + 1] ?? "";
    if (next === "\n") this.#append(element("br"));
    else this.#append(ASCII_PUNCTUATION.test(next) ? next : `\\${next}`);
    this.#at += 1 + next.length;
  }

  #lineEnd() {
    const children = this.#frames.at(-1).children;
    const before = children.at(-1);
    if (typeof before === "string" && before.endsWith("  ")) {
      children[children.length - 1] = before.trimEnd();
      this.#append(element("br"));
    } else {
      this.#append("\n");
    }
    this.#at += 1;
  }

  #code() {
    const length = runLength(this.#text, this.#at);
    const start = this.#at + length;
    const end = this.#codeEnd(start, length);
    if (end < 0 && !(this.#open && length < 3 && start < this.#text.length)) {
      return this.#literal(length);
    }
    let code = this.#text.slice(start, end < 0 ? undefined : end).replaceAll("\n", " ");
    if (code.startsWith(" ") && code.endsWith(" ") && code.trim()) code = code.slice(1, -1);
    this.#append(element("code", {}, code));
    this.#at = end < 0 ? this.#text.length : end + length;
  }

  // Where the run of exactly `length` backticks after `start` begins; below 0 if there is none.
  #codeEnd(start, length) {
    if (this.#noCodeCloser.has(length)) return -1;
    let at = this.#text.indexOf("`", start);
    while (at >= 0) {
      const run = runLength(this.#text, at);
      if (run === length) return at;
      at = this.#text.indexOf("`", at + run);
    }
    this.#noCodeCloser.add(length);
    return -1;
  }

  #delimiters(mark) {
    const length = runLength(this.#text, this.#at);
    const before = this.#text[this.#at - 1] ?? " ";
    const after = this.#text[this.#at + length] ?? " ";
    if (mark === "~" && length !== 2) return this.#literal(length);

    const [spaceBefore, spaceAfter] = [WHITESPACE.test(before), WHITESPACE.test(after)];
    const [markBefore, markAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
    const left = !spaceAfter && (!markAfter || spaceBefore || markBefore);
    const right = !spaceBefore && (!markBefore || spaceAfter || markAfter);
    // Underscores inside a word are part of it: fact_bs_purchase_order.
    const opens = left && (mark !== "_" || !right || markBefore);
    const closes = right && (mark !== "_" || !left || markAfter);

    this.#at += length;
    const rest = closes ? this.#close(mark, length) : length;
    if (rest === 0) return;
    if (opens) this.#push({ mark, count: rest, children: [] });
    else this.#append(mark.repeat(rest));
  }

  // Closes what `count` marks can close; gives how many are left.
  #close(mark, count) {
    while (count > 0) {
      const index = this.#openerOf(mark);
      if (index < 0) return count;
      while (this.#frames.length - 1 > index) this.#dissolve();
      const frame = this.#frames[index];
      const used = frame.count >= 2 && count >= 2 ? 2 : 1;
      const closed = fill(element(nameOf(mark, used)), frame.children);
      count -= used;
      frame.count -= used;
      frame.children = [closed];
      if (frame.count === 0) {
        this.#frames.pop();
        this.#append(closed);
      }
    }
    return 0;
  }

  // A bracket that may become a link binds tighter than emphasis around it.
  #openerOf(mark) {
    for (let index = this.#frames.length - 1; index > 0; index -= 1) {
      const frame = this.#frames[index];
      if (frame.mark === mark) return index;
      if (frame.bracket) return -1;
    }
    return -1;
  }

  #bracket(bracket) {
    this.#at += bracket.length;
    this.#push({ bracket, children: [] });
  }

  #link() {
    const index = this.#frames.findLastIndex((frame) => frame.bracket);
    if (index < 0) return this.#literal(1);
    while (this.#frames.length - 1 > index) this.#dissolve();

    const follows = this.#text[this.#at + 1] === "(" && !this.#frames[index].holdsLink;
    const target = follows && readTarget(this.#text, this.#at + 2);
    const address = target && safeAddress(target.address);
    if (!address) {
      this.#dissolve();
      return this.#literal(1);
    }
    // A picture is not loaded: it becomes a link to it.
    const { children } = this.#frames.pop();
    this.#append(link(address, children.length > 0 ? children : [address]));
    this.#at = target.end;
    // No link inside a link: a bracket that is still open around this one stays text.
    for (const frame of this.#frames) frame.holdsLink = true;
  }

  #autolink() {
    const start = this.#at + 1;
    const inside = this.#text.slice(start, start + LONGEST_ADDRESS).match(/^[^<>\s]*/)[0];
    const end = start + inside.length;
    const address = this.#text[end] === ">" && safeAddress(inside);
    if (!address) return this.#literal(1);
    this.#append(link(address, [inside]));
    this.#at = end + 1;
  }

  #bareAddress() {
    const rest = this.#text.slice(this.#at, this.#at + LONGEST_ADDRESS);
    const written = trimAddress(rest.match(/^[^\s<>`|]*/)[0]);
    const address = !this.#insideLink() && safeAddress(written);
    if (!address) return this.#literal("http".length);
    this.#append(link(address, [written]));
    this.#at += written.length;
  }

  #insideLink() {
    return this.#frames.some((frame) => frame.bracket);
  }

  #push(frame) {
    if (this.#frames.length > DEEPEST) while (this.#frames.length > 1) this.#dissolve();
    this.#frames.push(frame);
  }

  // The newest frame was never closed: it is text again. With `finish` it counts as closed.
  #dissolve(finish = false) {
    const { mark, count, bracket, children } = this.#frames.pop();
    if (finish && mark && count <= 2 && children.length > 0) {
      this.#append(fill(element(nameOf(mark, count)), children));
      return;
    }
    this.#append(bracket ?? mark.repeat(count));
    for (const child of children) this.#append(child);
  }
}

function nameOf(mark, count) {
  if (mark === "~") return "del";
  return count === 2 ? "strong" : "em";
}

function runLength(text, at) {
  let end = at + 1;
  while (text[end] === text[at]) end += 1;
  return end - at;
}

function link(address, children) {
  const node = element("a", { href: address, target: "_blank", rel: "noopener noreferrer" });
  return fill(node, children);
}

// The address as the browser understands it, if it is one that may be followed. A relative address
// is none: an answer does not know where this page lives.
function safeAddress(written) {
  try {
    const url = new URL(written);
    return SAFE_PROTOCOLS.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

// Reads `address "title")` from `at`, just after the opening parenthesis.
function readTarget(text, at) {
  const limit = Math.min(text.length, at + LONGEST_ADDRESS);
  let depth = 0;
  let end = at;
  for (; end < limit && text[end] > " "; end += 1) {
    if (text[end] === "(") depth += 1;
    else if (text[end] === ")" && depth-- === 0) break;
  }
  const address = text.slice(at, end).replace(/^<(.*)>$/, "$1");
  if (text[end] === ")") return { address, end: end + 1 };

  const title = text.slice(end, limit).match(/^[ \n](?:"[^"]*"|'[^']*')\)/);
  return title && { address, end: end + title[0].length };
}

// A sentence's punctuation after an address, and the parenthesis around it, are not part of it.
function trimAddress(written) {
  let unopened = 0;
  for (const character of written) {
    if (character === ")") unopened += 1;
    else if (character === "(") unopened -= 1;
  }
  let end = written.length;
  while (end > 0) {
    const last = written[end - 1];
    if (last === ")" && unopened > 0) unopened -= 1;
    else if (!"?!.,:;*_~'\"]}".includes(last)) break;
    end -= 1;
  }
  return written.slice(0, end);
}
