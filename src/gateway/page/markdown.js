// Draws Markdown that is still being written. Text only grows at its end, so of each new state
// only the blocks that differ from what is drawn already are drawn again: mostly the last one.

import { element, fill } from "./dom.js";
import { cutBlocks } from "./markdown_blocks.js";
import { appendInline } from "./markdown_inline.js";

// Lists in lists in quotes: deeper than this, the rest is shown as it was written.
const DEEPEST = 12;
// The page has the first level of headings, each question the second.
const HIGHEST_HEADING = 3;

export class MarkdownView {
  #drawn = [];

  constructor() {
    this.element = element("div", { class: "markdown" });
  }

  // Shows `text`. With `open` more is to come.
  update(text, open) {
    const blocks = cutBlocks(text.replaceAll("\r", ""));
    for (const [index, block] of blocks.entries()) {
      const isOpen = open && index === blocks.length - 1;
      const drawn = this.#drawn[index];
      if (drawn?.source === block.source && drawn.kind === block.kind && drawn.isOpen === isOpen) {
        continue;
      }
      const node = drawBlock(block, isOpen, 0);
      if (drawn) drawn.node.replaceWith(node);
      else this.element.append(node);
      this.#drawn[index] = { source: block.source, kind: block.kind, isOpen, node };
    }
    for (const { node } of this.#drawn.splice(blocks.length)) node.remove();
  }
}

function drawBlocks(parent, text, open, depth) {
  const blocks = cutBlocks(text);
  blocks.forEach((block, index) => {
    parent.append(drawBlock(block, open && index === blocks.length - 1, depth));
  });
  return parent;
}

function drawBlock(block, open, depth) {
  switch (block.kind) {
    case "code":
      return drawCode(block);
    case "heading":
      return drawHeading(block, open);
    case "rule":
      return element("hr");
    case "quote":
      return depth < DEEPEST
        ? drawBlocks(element("blockquote"), block.text, open, depth + 1)
        : asWritten(block);
    case "list":
      return depth < DEEPEST ? drawList(block, open, depth) : asWritten(block);
    case "table":
      return drawTable(block, open);
    default:
      return drawParagraph(block.text, open);
  }
}

function asWritten(block) {
  return element("p", {}, block.source);
}

function drawParagraph(text, open) {
  const node = element("p");
  appendInline(node, text, open);
  return node;
}

function drawHeading({ level, text }, open) {
  const node = element(`h${Math.min(level + HIGHEST_HEADING - 1, 6)}`);
  appendInline(node, text, open);
  return node;
}

function drawCode({ language, code }) {
  const label = language ? `Code, ${language}` : "Code";
  return element(
    "pre",
    { tabindex: "0", role: "region", "aria-label": label },
    element("code", {}, code),
  );
}

function drawList({ ordered, start, loose, items }, open, depth) {
  const list = ordered ? element("ol", { start }) : element("ul");
  items.forEach((text, index) => {
    const item = drawBlocks(element("li"), text, open && index === items.length - 1, depth + 1);
    if (!loose) unwrapParagraphs(item);
    list.append(item);
  });
  return list;
}

// The text of a tight list's item is not a paragraph.
function unwrapParagraphs(item) {
  for (const child of [...item.children]) {
    if (child.localName !== "p") continue;
    if (child.nextElementSibling?.localName === "p") child.append(element("br"));
    while (child.firstChild) child.before(child.firstChild);
    child.remove();
  }
}

function drawTable({ header, aligns, rows }, open) {
  const cells = (name, texts, isLast) =>
    texts.map((text, column) => {
      const cell = element(name, { class: aligns[column] });
      if (name === "th") cell.scope = "col";
      appendInline(cell, text, isLast && column === texts.length - 1);
      return cell;
    });
  const head = fill(element("tr"), cells("th", header, open && rows.length === 0));
  const body = element("tbody");
  rows.forEach((texts, index) => {
    body.append(fill(element("tr"), cells("td", texts, open && index === rows.length - 1)));
  });
  const table = element("table", {}, element("thead", {}, head), body);
  // A wide table scrolls by itself, also by keyboard.
  const attributes = { class: "wide", tabindex: "0", role: "region", "aria-label": "Table" };
  return element("div", attributes, table);
}
