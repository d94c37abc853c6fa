// Checks the Markdown of answers, in the browser, with the very modules the server serves.

import assert from "node:assert/strict";

import { open } from "./page.support.mjs";

const LINK = 'target="_blank" rel="noopener noreferrer"';

// Markdown, and the HTML it must become.
const CASES = [
  ["one\ntwo  \nthree\\\nfour\n\nfive", "<p>one\ntwo<br>three<br>four</p><p>five</p>"],
  ["# A\n### B #\n##no", "<h3>A</h3><h5>B</h5><p>##no</p>"],
  [
    "**b** *i* ***x*** ~~s~~ __b__ _i_",
    "<p><strong>b</strong> <em>i</em> <em><strong>x</strong></em> <del>s</del> <strong>b</strong> <em>i</em></p>",
  ],
  ["fact_bs_purchase_order and 2 * 3 * 4", "<p>fact_bs_purchase_order and 2 * 3 * 4</p>"],
  ["**unclosed and \\*escaped\\*", "<p>**unclosed and *escaped*</p>"],
  ["`a*b*` ``c`d``", "<p><code>a*b*</code> <code>c`d</code></p>"],
  [
    "- a\n- b\n  - c\n    1. d\n- e",
    '<ul><li>a</li><li>b<ul><li>c<ol start="1"><li>d</li></ol></li></ul></li><li>e</li></ul>',
  ],
  ["3. a\n\n4. b", '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>'],
  ["In\n1999. it\n- began", "<p>In\n1999. it</p><ul><li>began</li></ul>"],
  ["> a\nb\n> > c", "<blockquote><p>a\nb</p><blockquote><p>c</p></blockquote></blockquote>"],
  ["a\n\n---", "<p>a</p><hr>"],
  [
    "```sql\n<b> **x**\n```",
    '<pre tabindex="0" role="region" aria-label="Code, sql"><code>&lt;b&gt; **x**</code></pre>',
  ],
  [
    "| a | b |\n|:-:|--:|\n| x \\| y | `z` |\n| only |",
    '<div class="wide" tabindex="0" role="region" aria-label="Table"><table><thead><tr><th class="center" scope="col">a</th><th class="right" scope="col">b</th></tr></thead><tbody><tr><td class="center">x | y</td><td class="right"><code>z</code></td></tr><tr><td class="center">only</td></tr></tbody></table></div>',
  ],
  [
    '[a *b*](https://c.example/d_(e) "t")',
    `<p><a href="https://c.example/d_(e)" ${LINK}>a <em>b</em></a></p>`,
  ],
  [
    "see https://a.example/b. <mailto:c@d.example>",
    `<p>see <a href="https://a.example/b" ${LINK}>https://a.example/b</a>. <a href="mailto:c@d.example" ${LINK}>mailto:c@d.example</a></p>`,
  ],
  [
    "[a](javascript:alert(1)) [b](/c) [d](data:text/html,e)",
    "<p>[a](javascript:alert(1)) [b](/c) [d](data:text/html,e)</p>",
  ],
  [
    "<script>alert(1)</script> <img src=x> &lt;",
    "<p>&lt;script&gt;alert(1)&lt;/script&gt; &lt;img src=x&gt; &amp;lt;</p>",
  ],
];

// Each of them, repeated to the longest answer there is, is meant to be slow to read.
const HEAVY = [
  "*a ",
  "**a *",
  "[",
  "[](",
  "[a](b",
  "`a``",
  "<a",
  "> ",
  "- ",
  "> - ",
  "|",
  "|a|\n|-|\n",
  "http://",
  "\\",
  "  - a\n",
];
const LONGEST_ANSWER = 128 * 1024;
const SLOW = 5_000;

export async function checkMarkdown(checks) {
  await checks.run("Markdown becomes the right elements", async (page) => {
    await open(page);
    const drawn = await page.evaluate(
      async (texts) => {
        const { MarkdownView } = await import("/page/markdown.js");
        return texts.map((text) => {
          const view = new MarkdownView();
          view.update(text, false);
          return view.element.innerHTML;
        });
      },
      CASES.map(([text]) => text),
    );
    CASES.forEach(([text, html], index) => assert.equal(drawn[index], html, `Markdown:\n${text}`));
  });

  await checks.run("streamed Markdown ends as if it had come at once", async (page) => {
    await open(page);
    const whole = CASES.map(([text]) => text).join("\n\n");
    const [streamed, atOnce, kept] = await page.evaluate(async (text) => {
      const { MarkdownView } = await import("/page/markdown.js");
      const [growing, fresh] = [new MarkdownView(), new MarkdownView()];
      let first = null;
      for (let length = 1; length <= text.length; length += 1) {
        growing.update(text.slice(0, length), true);
        if (length === 60) first = growing.element.firstChild;
      }
      growing.update(text, false);
      fresh.update(text, false);
      return [
        growing.element.innerHTML,
        fresh.element.innerHTML,
        first === growing.element.firstChild,
      ];
    }, whole);
    assert.equal(streamed, atOnce);
    assert.ok(kept, "a block that was complete was drawn again");
  });

  await checks.run("no text makes the Markdown reader slow", async (page) => {
    await open(page);
    const times = await page.evaluate(
      async ([patterns, length]) => {
        const { MarkdownView } = await import("/page/markdown.js");
        return patterns.map((pattern) => {
          const text = pattern.repeat(length / pattern.length);
          const start = performance.now();
          new MarkdownView().update(text, true);
          return [pattern, performance.now() - start];
        });
      },
      [HEAVY, LONGEST_ANSWER],
    );
    for (const [pattern, time] of times) {
      assert.ok(time < SLOW, `${JSON.stringify(pattern)} took ${Math.round(time)} ms`);
    }
  });
}
