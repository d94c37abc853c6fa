// What stands below an answer: a picture of its tables, and figures of the catalog.

import { copyButton } from "./clipboard.js";
import { button, element, fill } from "./dom.js";
import { drawDiagram } from "./er_diagram.js";
import { readDiagram } from "./er_text.js";

// From here up a frontend shows a view without being asked.
const SURE = 0.6;
const STEP = 1.25;
// Smaller than this nobody can read: rather scroll.
const SMALLEST = 0.6;
const LARGEST = 3;

// The parts of an `agent` frame that can be drawn, as elements; none of them has to be there.
export function drawingOf({ diagram, canvas_trigger: canvas, metrics }) {
  const parts = [];
  if (typeof diagram === "string") parts.push(diagramCard(diagram, canvas ?? {}));
  if (typeof metrics === "object" && metrics !== null) parts.push(metricsRow(metrics));
  return parts;
}

// === The diagram ===

function diagramCard(text, { view_type: view, entity_name: subject, reason, confidence }) {
  const what = view === "relationship_graph" ? "Lineage" : "Diagram";
  const card = element(
    "details",
    { class: "diagram" },
    element(
      "summary",
      {},
      element("span", { class: "tool-name" }, what),
      element("span", { class: "tool-summary" }, reason ?? ""),
    ),
  );
  card.addEventListener("toggle", () => card.append(...drawView(text, what, subject)), { once: true });
  if (confidence >= SURE && view !== "table_list") {
    // Nobody has asked to be taken there: see follow.js.
    card.dataset.openedBy = "page";
    card.open = true;
  }
  return card;
}

function drawView(text, what, subject) {
  const diagram = readDiagram(text);
  const copy = copyButton("copy Mermaid", "Copy the diagram as Mermaid text", () => text);
  if (!diagram) {
    const code = element("pre", { tabindex: "0", role: "region", "aria-label": what }, element("code", {}, text));
    return [element("div", { class: "tool-result" }, code), element("p", { class: "tool-foot" }, copy)];
  }
  const picture = drawDiagram(diagram, subject);
  const view = element("div", { class: "diagram-view", tabindex: "0", role: "region", "aria-label": what }, picture);
  const zoom = new Zoom(view, picture);
  const foot = element("div", { class: "tool-foot" });
  foot.append(
    button("−", { class: "copy", "aria-label": "Make the diagram smaller" }, () => zoom.by(1 / STEP)),
    button("+", { class: "copy", "aria-label": "Make the diagram larger" }, () => zoom.by(STEP)),
    button("fit", { class: "copy", "aria-label": "Fit the diagram into its frame" }, () => zoom.fit()),
    copy,
  );
  if (diagram.description) foot.append(element("span", {}, diagram.description));
  // Only then the frame has a width.
  requestAnimationFrame(() => zoom.start());
  return [view, foot];
}

class Zoom {
  #view;
  #picture;
  #width;
  #height;
  #scale = 1;

  constructor(view, picture) {
    this.#view = view;
    this.#picture = picture;
    this.#width = Number(picture.getAttribute("width"));
    this.#height = Number(picture.getAttribute("height"));
  }

  // As large as it can be read, with the table it is about in view.
  start() {
    this.#set(Math.max(SMALLEST, Math.min(1, this.#fitting)));
    const subject = this.#picture.querySelector(".er-subject") ?? this.#picture;
    const [frame, middle] = [this.#view, subject].map((node) => {
      const { left, top, width, height } = node.getBoundingClientRect();
      return { x: left + width / 2, y: top + height / 2 };
    });
    this.#view.scrollBy(middle.x - frame.x, middle.y - frame.y);
  }

  fit() {
    this.#set(Math.min(1, this.#fitting, this.#view.clientHeight / this.#height));
  }

  // What is in the middle stays there.
  by(factor) {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.#view;
    const before = this.#scale;
    this.#set(before * factor);
    const grown = this.#scale / before;
    this.#view.scrollLeft = (scrollLeft + clientWidth / 2) * grown - clientWidth / 2;
    this.#view.scrollTop = (scrollTop + clientHeight / 2) * grown - clientHeight / 2;
  }

  get #fitting() {
    return this.#view.clientWidth / this.#width;
  }

  #set(scale) {
    this.#scale = Math.min(LARGEST, Math.max(0.1, scale));
    this.#picture.setAttribute("width", Math.floor(this.#width * this.#scale));
    this.#picture.setAttribute("height", Math.floor(this.#height * this.#scale));
  }
}

// === The figures ===

function metricsRow(metrics) {
  const facts = [
    counted(metrics.total_tables, "table", "tables"),
    counted(metrics.total_columns, "column", "columns"),
    counted(metrics.facts_count, "fact", "facts"),
    counted(metrics.dimensions_count, "dimension", "dimensions"),
  ];
  if (Number.isInteger(metrics.quality_score)) {
    const item = element("li", { title: "Tables and columns that have a description" });
    item.append(element("b", {}, `${metrics.quality_score} %`), " described");
    facts.push(item);
  }
  const time = asOf(metrics.as_of);
  if (time) facts.push(element("li", {}, "as of ", time));
  if (metrics.is_stale === true) {
    const title = "A source of the catalog could not be read again: it may have changed";
    facts.push(element("li", { class: "stale", title }, "may be out of date"));
  }
  const scope = metrics.schema_name ?? "catalog";
  const row = element("ul", { class: "metrics", "aria-label": `Figures of ${scope}` });
  return fill(row, [element("li", { class: "scope" }, scope), ...facts]);
}

function counted(number, one, many) {
  const item = element("li");
  item.append(element("b", {}, Number(number ?? 0).toLocaleString()), ` ${number === 1 ? one : many}`);
  return item;
}

function asOf(text) {
  const date = new Date(text ?? NaN);
  if (Number.isNaN(date.getTime())) return null;
  return element(
    "time",
    { datetime: date.toISOString(), title: date.toLocaleString() },
    date.toLocaleDateString([], { dateStyle: "medium" }),
  );
}
