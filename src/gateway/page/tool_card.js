// The use of a tool: one line, and its result for who opens it.

import { copyButton } from "./clipboard.js";
import { element } from "./dom.js";

const LONGEST_SHOWN = 20_000;
const LONGEST_SUMMARY = 80;

export function toolCard(name, content) {
  const result = read(content);
  const { text, failed } = summarize(result);
  const card = element(
    "details",
    { class: failed ? "tool failed" : "tool" },
    element(
      "summary",
      {},
      element("span", { class: "unseen" }, "Tool used: "),
      element("code", { class: "tool-name" }, name),
      element("span", { class: "tool-summary" }, text),
    ),
  );
  // Most cards are never opened, and a result can be long.
  card.addEventListener("toggle", () => card.append(drawResult(name, result)), { once: true });
  return card;
}

// `content` is a string that holds JSON. If it does not, it is shown as it is.
function read(content) {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

// What a result is, in a few words: its subject, and how much of what it lists.
function summarize(result) {
  if (Array.isArray(result)) return { text: countItems(result) };
  if (typeof result !== "object" || result === null) return { text: shortened(String(result)) };
  if (result.error !== undefined) {
    return { text: `failed: ${shortened(messageOf(result.error))}`, failed: true };
  }
  const subject = Object.values(result).find((value) => typeof value === "string");
  const facts = [subject, countLists(result)].filter(Boolean);
  return { text: shortened(facts.join(": ") || Object.keys(result).join(", ")) };
}

// A list that was cut says so in its last entry.
function countItems(items) {
  const omitted = items.at(-1)?.omitted;
  if (!Number.isInteger(omitted)) return counted(items.length, "items");
  return `${counted(items.length - 1, "items")}, ${omitted} more not listed`;
}

function countLists(result) {
  const isListing = ([, value]) => Array.isArray(value) && typeof value[0] === "object";
  return Object.entries(result)
    .filter(isListing)
    .map(([name, { length }]) => counted(length, name.replaceAll("_", " ")))
    .join(", ");
}

function counted(number, things) {
  return `${number} ${number === 1 ? things.replace(/s$/, "") : things}`;
}

function messageOf(error) {
  return String(error?.message ?? (typeof error === "object" ? JSON.stringify(error) : error));
}

function shortened(text) {
  return text.length > LONGEST_SUMMARY ? `${text.slice(0, LONGEST_SUMMARY)}…` : text;
}

function drawResult(name, result) {
  const text = typeof result === "string" ? result : JSON.stringify(result, null, 2);
  const rest = text.length - LONGEST_SHOWN;
  const shown = element(
    "pre",
    { tabindex: "0", role: "region", "aria-label": `Result of ${name}` },
    element("code", {}, text.slice(0, LONGEST_SHOWN)),
  );
  const foot = element("p", { class: "tool-foot" });
  if (rest > 0) foot.append(`${rest.toLocaleString()} more characters are not shown. `);
  foot.append(copyButton("copy result", `Copy the result of ${name}`, () => text));
  return element("div", { class: "tool-result" }, shown, foot);
}
