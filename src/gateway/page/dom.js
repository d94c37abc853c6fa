// Makes elements. Data only ever becomes text nodes; nothing in this page sets innerHTML.

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined) node.setAttribute(attribute, value);
  }
  node.append(...children);
  return node;
}

// The same for pictures.
export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  return fill(node, children);
}

// Appends any number of children; a spread of very many would overflow the call stack.
export function fill(node, children) {
  for (const child of children) node.append(child);
  return node;
}

export function button(label, attributes, action) {
  const node = element("button", { type: "button", ...attributes }, label);
  node.addEventListener("click", action);
  return node;
}

// "14:05", with the whole date for who points at it. Nothing if the server sent no time.
export function timeOf(timestamp) {
  const date = new Date(timestamp ?? NaN);
  if (Number.isNaN(date.getTime())) return "";
  return element(
    "time",
    { datetime: date.toISOString(), title: date.toLocaleString() },
    date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
  );
}
