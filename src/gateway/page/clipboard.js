// Copies text. navigator.clipboard exists only on https and localhost; elsewhere the old way works.

import { button } from "./dom.js";
import { announce } from "./announcer.js";

const CONFIRMED_FOR = 1_600;

// A button that copies what `text()` gives, and says that it did.
export function copyButton(label, description, text) {
  const node = button(label, { class: "copy", "aria-label": description }, async () => {
    const copied = await copy(text());
    node.textContent = copied ? "copied" : "not copied";
    announce(copied ? "Copied" : "The browser did not allow to copy");
    setTimeout(() => (node.textContent = label), CONFIRMED_FOR);
  });
  return node;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return copied;
}
