// Keeps the end of the page in view while it grows, but only for a reader who is there.

const NEAR = 80;

export class Follow {
  #isAtEnd = true;
  #top = 0;

  // `sheet` is what grows; `end` a mark at its end; `newest` the button that leads there.
  constructor(sheet, end, newest) {
    newest.addEventListener("click", () => this.toEnd());
    window.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // Who opens a card wants to read it, not to be taken away from it.
    sheet.addEventListener("toggle", (event) => this.#toggled(event), true);
    new IntersectionObserver(([entry]) => (newest.hidden = entry.isIntersecting)).observe(end);
    // After the layout and before the picture: nobody sees the page jump.
    new ResizeObserver(() => this.#isAtEnd && this.toEnd()).observe(sheet);
  }

  toEnd() {
    this.#isAtEnd = true;
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    // Told only later, perhaps together with a move of the reader, who would then seem to have come from where it was.
    this.#top = document.documentElement.scrollTop;
  }

  // One that the page itself has opened is a part of what grows.
  #toggled({ target, newState }) {
    if (target.dataset.openedBy === "page") delete target.dataset.openedBy;
    else this.#isAtEnd &&= newState !== "open";
  }

  // Only a move up leaves the end: a page that grew meanwhile looks as if the reader had left.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = document.documentElement;
    if (scrollHeight - clientHeight - scrollTop < NEAR) this.#isAtEnd = true;
    else if (scrollTop < this.#top) this.#isAtEnd = false;
    this.#top = scrollTop;
  }
}
