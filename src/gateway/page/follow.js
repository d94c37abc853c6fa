// Keeps the end of the page in view while it grows, but only for a reader who is there.

const NEAR = 80;

export class Follow {
  #isAtEnd = true;
  #top = 0;
  #frame = 0;

  // `newest` is the button that leads to the end; `end` the mark it leads to.
  constructor(newest, end) {
    newest.addEventListener("click", () => this.toEnd());
    new IntersectionObserver(([entry]) => (newest.hidden = entry.isIntersecting)).observe(end);
    window.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // Who opens a card wants to read it, not to be taken away from it.
    document.addEventListener("toggle", () => (this.#isAtEnd = this.#isNearEnd()), true);
  }

  // The page was changed: follows with the next picture of the screen. Asking for it more often
  // costs nothing, so a whole transcript is laid out once.
  changed() {
    this.#frame ||= requestAnimationFrame(() => this.now());
  }

  // The picture of the screen is being made: follows at once.
  now() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (this.#isAtEnd) this.toEnd();
  }

  toEnd() {
    this.#isAtEnd = true;
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  }

  // Only a move up leaves the end: a page that grew meanwhile looks as if the reader had left.
  #scrolled() {
    const { scrollTop } = document.documentElement;
    if (this.#isNearEnd()) this.#isAtEnd = true;
    else if (scrollTop < this.#top) this.#isAtEnd = false;
    this.#top = scrollTop;
  }

  #isNearEnd() {
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
    return scrollHeight - clientHeight - scrollTop < NEAR;
  }
}
