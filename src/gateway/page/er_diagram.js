// Draws tables, their columns and what links them. Names only ever become text nodes.

import { svg } from "./dom.js";
import { layOut } from "./er_layout.js";

const ROW = 19;
const HEAD = 27;
const PAD = 10;
const GAP = 12;
const EDGE = 16;
const LONGEST = 44;
const HEAD_FONT = "600 13px system-ui, sans-serif";
const KEYS_FONT = "700 9px system-ui, sans-serif";
const ROW_FONT = "12px system-ui, sans-serif";

const canvas = document.createElement("canvas").getContext("2d");
let count = 0;

// An `svg` of what `readDiagram` gave. `subject` is the label of the table it is about.
export function drawDiagram(diagram, subject) {
  const boxes = diagram.entities.map(boxOf);
  const size = layOut(boxes, diagram.links);
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const [width, height] = [Math.ceil(size.width + 2 * EDGE), Math.ceil(size.height + 2 * EDGE)];
  count += 1;
  const [title, description] = [`diagram-${count}-title`, `diagram-${count}-text`];
  return svg(
    "svg",
    {
      class: "er",
      viewBox: `${-EDGE} ${-EDGE} ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-labelledby": title,
      "aria-describedby": description,
    },
    svg("title", { id: title }, titleOf(diagram)),
    svg("desc", { id: description }, describe(diagram)),
    svg("g", {}, ...diagram.links.map((link) => drawLink(link, byId))),
    svg("g", {}, ...boxes.map((box) => drawBox(box, box.entity.label === subject))),
  );
}

function titleOf({ entities, links }) {
  return `Diagram of ${counted(entities.length, "table")} and ${counted(links.length, "link")}`;
}

function counted(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

// The same in words, for who does not see it.
function describe({ description, entities, links }) {
  const label = new Map(entities.map((entity) => [entity.id, entity.label]));
  const sentences = links.map(({ from, to, isFlow, label: columns }) =>
    isFlow
      ? `${label.get(to)} is made from ${label.get(from)}.`
      : `${label.get(from)} refers to ${label.get(to)} by ${columns}.`,
  );
  return [`Tables: ${[...label.values()].join(", ")}.`, ...sentences, description].join(" ");
}

// === Boxes ===

function boxOf(entity) {
  const rows = entity.rows.map((row) => ({
    ...row,
    name: shortened(row.name),
    note: shortened(row.comment || row.type),
  }));
  const widths = rows.map(({ name, note }) => [textWidth(name, ROW_FONT), textWidth(note, ROW_FONT)]);
  const widest = (column) => Math.max(0, ...widths.map((pair) => pair[column]));
  const keys = Math.max(0, ...rows.map((row) => (row.keys ? textWidth(row.keys, KEYS_FONT) + 6 : 0)));
  const head = textWidth(shortened(entity.label), HEAD_FONT);
  const body = rows.length === 0 ? 0 : keys + widest(0) + GAP + widest(1);
  return {
    id: entity.id,
    entity,
    rows,
    keys,
    width: Math.max(head, body, 60) + 2 * PAD,
    height: HEAD + (rows.length === 0 ? 0 : rows.length * ROW + 6),
  };
}

function drawBox(box, isSubject) {
  const { entity, rows, x, y, width, height } = box;
  const parts = [
    svg("rect", { class: "er-box", x, y, width, height, rx: 7 }),
    svg("path", { class: "er-head", d: headOf(box) }),
    svg("text", { class: "er-name", x: x + PAD, y: y + 18 }, shortened(entity.label)),
  ];
  rows.forEach(({ name, note, keys }, place) => {
    const at = y + HEAD + 3 + place * ROW + 14;
    if (keys) parts.push(svg("text", { class: "er-keys", x: x + PAD, y: at }, keys.replace(", ", " ")));
    parts.push(
      svg("text", { class: "er-column", x: x + PAD + box.keys, y: at }, name),
      svg("text", { class: "er-type", x: x + width - PAD, y: at }, note),
    );
  });
  const whole = [entity.label, ...entity.rows.map(inWords)].join("\n");
  return svg("g", { class: isSubject ? "er-table er-subject" : "er-table" }, svg("title", {}, whole), ...parts);
}

// Round above, straight below, unless there is nothing below.
function headOf({ rows, x, y, width }) {
  const [r, h] = [7, HEAD];
  const top = `M${x} ${y + r}a${r} ${r} 0 0 1 ${r} ${-r}h${width - 2 * r}a${r} ${r} 0 0 1 ${r} ${r}`;
  if (rows.length > 0) return `${top}v${h - r}h${-width}z`;
  return `${top}v${h - 2 * r}a${r} ${r} 0 0 1 ${-r} ${r}h${2 * r - width}a${r} ${r} 0 0 1 ${-r} ${-r}z`;
}

function inWords({ type, name, keys, comment }) {
  return [name, comment || type, keys].filter(Boolean).join("  ");
}

// === Links ===

function drawLink(link, byId) {
  const [from, to] = [byId.get(link.from), byId.get(link.to)];
  const name = link.isFlow
    ? `${to.entity.label} is made from ${from.entity.label}`
    : `${from.entity.label} → ${to.entity.label}: ${link.label}`;
  const [start, end] = endsOf(link, from, to);
  const line = link.from === link.to ? loop(start, end) : curve(start, link.bends ?? [], end);
  const marks = link.isFlow
    ? [svg("path", { class: "er-arrow", d: arrow(end) })]
    : [drawEnd(start, link.fromEnd), drawEnd(end, link.toEnd)];
  return svg(
    "g",
    { class: link.isDashed && !link.isFlow ? "er-link er-loose" : "er-link" },
    svg("title", {}, name),
    svg("path", { class: "er-touch", d: line }),
    svg("path", { class: "er-line", d: line }),
    ...marks,
  );
}

// Where a link touches its tables: beside the columns it is about. `out` is the way out of the table, 1 is right.
function endsOf(link, from, to) {
  const isRight = from === to || from.x < to.x;
  const [column] = link.label.split(", ");
  const start = heightOf(from, ({ name }) => name === column);
  const end = heightOf(to, ({ keys }) => keys.includes("PK"));
  const side = (box, right) => (right ? box.x + box.width : box.x);
  return [
    { x: side(from, isRight), y: start, out: isRight ? 1 : -1 },
    { x: side(to, from === to ? true : !isRight), y: end, out: from === to || !isRight ? 1 : -1 },
  ];
}

function heightOf({ entity, y, height }, isIt) {
  const place = entity.rows.findIndex(isIt);
  if (place < 0) return y + (entity.rows.length === 0 ? height / 2 : HEAD / 2);
  return y + HEAD + 3 + place * ROW + ROW / 2;
}

function curve(start, bends, end) {
  let path = `M${start.x} ${start.y}`;
  let [before, out] = [start, start.out];
  for (const point of [...bends, end]) {
    const reach = Math.max(24, Math.abs(point.x - before.x) / 2);
    path += `C${before.x + out * reach} ${before.y} ${point.x - start.out * reach} ${point.y} ${point.x} ${point.y}`;
    [before, out] = [point, start.out];
  }
  return path;
}

function loop({ x, y }, { y: to }) {
  const back = Math.abs(to - y) < 8 ? y - 14 : to;
  return `M${x} ${y}C${x + 46} ${y} ${x + 46} ${back} ${x} ${back}`;
}

// Crow's feet: a bar is one, a circle none, a foot many.
function drawEnd({ x, y, out }, kind) {
  const at = (distance) => x + out * distance;
  const bar = (distance) => `M${at(distance)} ${y - 5}v10`;
  const ring = (distance) =>
    svg("circle", { class: "er-ring", cx: at(distance), cy: y, r: 4 });
  const foot = `M${at(0)} ${y - 6}L${at(11)} ${y}L${at(0)} ${y + 6}`;
  const path = (d) => svg("path", { class: "er-end", d });
  if (kind === "one") return path(`${bar(6)}${bar(10)}`);
  if (kind === "zero-or-one") return svg("g", {}, path(bar(6)), ring(13));
  return svg("g", {}, path(foot), ring(15));
}

function arrow({ x, y, out }) {
  return `M${x} ${y}L${x + out * 10} ${y - 5}v10z`;
}

// === Text ===

function shortened(text) {
  const letters = [...text];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST).join("")}…` : text;
}

function textWidth(text, font) {
  canvas.font = font;
  return Math.ceil(canvas.measureText(text).width);
}
