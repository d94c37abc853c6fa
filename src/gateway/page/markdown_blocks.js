// Cuts Markdown into blocks: paragraphs, headings, lists, tables, code, quotes, rules. Only one
// level at a time; what is inside a list item or a quote is cut when it is drawn.
//
// The patterns look at the start of a line only and repeat nothing inside a repetition: no text
// can make them slow.

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?=\s|$)/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +|$)/;

// Each block has a `kind`, its `source` (equal sources are drawn equally) and what its kind needs.
export function cutBlocks(text) {
  const lines = text.split("\n").map(expandTabs);
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const { end, ...block } = readBlock(lines, at);
    blocks.push({ ...block, source: lines.slice(at, end).join("\n") });
    at = end;
  }
  return blocks;
}

function readBlock(lines, at) {
  return (
    readFence(lines, at) ??
    readHeading(lines, at) ??
    readRule(lines, at) ??
    readQuote(lines, at) ??
    readList(lines, at) ??
    readTable(lines, at) ??
    readParagraph(lines, at)
  );
}

function readFence(lines, at) {
  const opening = lines[at].match(FENCE);
  if (!opening) return null;
  const [indented, fence] = opening;
  const info = lines[at].slice(indented.length).trim();
  if (fence[0] === "`" && info.includes("`")) return null;

  const indent = indented.length - fence.length;
  const code = [];
  let end = at + 1;
  for (; end < lines.length && !closesFence(lines[end], fence); end += 1) {
    code.push(dedent(lines[end], indent));
  }
  return { kind: "code", language: info.split(" ")[0], code: code.join("\n"), end: end + 1 };
}

function closesFence(line, fence) {
  const closing = line.match(FENCE)?.[1];
  return (
    closing !== undefined &&
    closing[0] === fence[0] &&
    closing.length >= fence.length &&
    line.trim() === closing
  );
}

function readHeading(lines, at) {
  const match = lines[at].match(HEADING);
  if (!match) return null;
  let text = lines[at].slice(match[0].length).trim();
  const unmarked = text.slice(0, text.length - trailing(text, "#"));
  if (unmarked === "" || unmarked.endsWith(" ")) text = unmarked;
  return { kind: "heading", level: match[1].length, text, end: at + 1 };
}

function readRule(lines, at) {
  return RULE.test(lines[at]) ? { kind: "rule", end: at + 1 } : null;
}

function readQuote(lines, at) {
  if (!QUOTE.test(lines[at])) return null;
  const inside = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const line = lines[end];
    if (QUOTE.test(line)) inside.push(line.replace(QUOTE, ""));
    else if (isBlank(line) || startsBlock(line) || isBlank(inside.at(-1))) break;
    else inside.push(line);
  }
  return { kind: "quote", text: inside.join("\n"), end };
}

function readList(lines, at) {
  const first = readMarker(lines[at]);
  if (!first) return null;
  const items = [];
  let loose = false;
  let end = at;
  while (end < lines.length) {
    const marker = readMarker(lines[end]);
    if (!marker || marker.type !== first.type || marker.indent >= first.indent + 2) break;
    const item = readItem(lines, end, marker);
    items.push(item.lines.join("\n"));
    end = item.end;
    const next = skipBlank(lines, end);
    if (next > end && next < lines.length && readMarker(lines[next])?.type === first.type) {
      loose = true;
      end = next;
    }
    loose ||= item.loose;
  }
  return { kind: "list", ordered: first.number !== null, start: first.number, loose, items, end };
}

// Two items belong to one list if their markers are of one type.
function readMarker(line) {
  if (RULE.test(line)) return null;
  const match = line.match(ITEM);
  if (!match) return null;
  const [whole, indent, marker, spaces] = match;
  const number = marker.length > 1 ? Number.parseInt(marker, 10) : null;
  // After five spaces the text is an indented one; the marker takes one of them.
  const taken = spaces.length > 4 ? whole.length - spaces.length + 1 : whole.length;
  return {
    indent: indent.length,
    type: marker.at(-1),
    number,
    content: Math.max(taken, indent.length + marker.length + 1),
    empty: whole.length === line.length,
  };
}

function readItem(lines, at, marker) {
  const inside = [lines[at].slice(Math.min(marker.content, lines[at].length))];
  // Two spaces are enough to belong to an item: that is how models write nested lists.
  const enough = marker.indent + 2;
  let fence = inside[0].match(FENCE)?.[1];
  let loose = false;
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end];
    if (isBlank(line)) {
      const next = skipBlank(lines, end);
      if (next === lines.length || indentOf(lines[next]) < enough) break;
      loose ||= fence === undefined;
      for (; end < next; end += 1) inside.push("");
      continue;
    }
    if (indentOf(line) >= enough) inside.push(dedent(line, marker.content));
    else if (fence !== undefined || startsBlock(line) || readMarker(line)) break;
    else inside.push(line);
    fence = fenceAfter(inside.at(-1), fence);
    end += 1;
  }
  return { lines: inside, loose, end };
}

function fenceAfter(line, fence) {
  if (fence === undefined) return line.match(FENCE)?.[1];
  return closesFence(line, fence) ? undefined : fence;
}

function readTable(lines, at) {
  if (!startsTable(lines, at)) return null;
  const header = cutCells(lines[at]);
  const aligns = cutCells(lines[at + 1]).map(alignOf);
  const rows = [];
  let end = at + 2;
  for (; end < lines.length && !isBlank(lines[end]) && !startsBlock(lines[end]); end += 1) {
    rows.push(cutCells(lines[end]).slice(0, header.length));
  }
  return { kind: "table", header, aligns, rows, end };
}

function startsTable(lines, at) {
  const rule = lines[at + 1];
  if (!rule?.includes("-") || !lines[at].includes("|")) return false;
  const cells = cutCells(rule);
  return cells.every(isTableRule) && cells.length === cutCells(lines[at]).length;
}

function isTableRule(cell) {
  return /^:?-+:?$/.test(cell);
}

function alignOf(cell) {
  if (cell.endsWith(":")) return cell.startsWith(":") ? "center" : "right";
  return "left";
}

// Cuts at each bar that no backslash precedes.
function cutCells(line) {
  const cells = [""];
  for (const piece of line.trim().split(/(\\\||\|)/)) {
    if (piece === "|") cells.push("");
    else cells[cells.length - 1] += piece === "\\|" ? "|" : piece;
  }
  if (cells[0].trim() === "") cells.shift();
  if (cells.at(-1)?.trim() === "") cells.pop();
  return cells.map((cell) => cell.trim());
}

function readParagraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end])) {
    if (startsBlock(lines[end]) || startsTable(lines, end)) break;
    end += 1;
  }
  return { kind: "paragraph", text: lines.slice(at, end).join("\n"), end };
}

// True if a line ends the paragraph before it. "1999. was a good year" does not.
function startsBlock(line) {
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line)) return true;
  const marker = readMarker(line);
  return marker !== null && !marker.empty && (marker.number === null || marker.number === 1);
}

function isBlank(line) {
  return line.trim() === "";
}

function skipBlank(lines, at) {
  let end = at;
  while (end < lines.length && isBlank(lines[end])) end += 1;
  return end;
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

function dedent(line, most) {
  return line.slice(Math.min(indentOf(line), most));
}

function expandTabs(line) {
  return line.startsWith("\t") ? line.replace(/^\t+/, (tabs) => "    ".repeat(tabs.length)) : line;
}

function trailing(text, character) {
  let length = 0;
  while (text[text.length - 1 - length] === character) length += 1;
  return length;
}
