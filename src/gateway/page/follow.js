// Keeps the end of the page in view while it grows, but only for a reader who is there.

const NEAR = 80;

export class Follow {
  #wasAtEnd = true;

  // `newest` is the button that leads to the end; `end` the mark it leads to.
  constructor(newest, end) {
    newest.addEventListener("click", () => this.toEnd());
    // The dock covers the lower part of the window.
    const margin = { rootMargin: `0px 0px ${NEAR}px 0px` };
    new IntersectionObserver(([entry]) => (newest.hidden = entry.isIntersecting), margin).observe(end);
  }

  // Around every change of the page: looks where the reader is, then follows if she was at the end.
  before = () => {
    const page = document.documentElement;
    this.#wasAtEnd = page.scrollHeight - page.clientHeight - page.scrollTop < NEAR;
  };

  after = () => {
    if (this.#wasAtEnd) this.toEnd();
  };

  toEnd() {
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  }
}
