/**
 * A model's answer as Markdown. What the model writes is never markup: HTML in it is shown as text,
 * and everything passes DOMPurify. Images are links: nothing is fetched that the model names.
 *
 * While text streams in, only its last block is rendered again; finished blocks stay as they are.
 */
import DOMPurify from "dompurify";
import { Marked } from "marked";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { memo } from "../memo.js";
import { highlightBlocks } from "./code_block.js";
import { mathExtensions, renderMath } from "./math.js";

/** @param {string} text */
const escapeHtml = (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escapeHtml(text),
    image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
  },
  extensions: mathExtensions,
});

const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
  const name = node.getAttribute("class");
  if (name && !/^language-[\w+#.-]+$/.test(name)) node.removeAttribute("class");
});
const RULES = {
  ALLOWED_TAGS: [
    ..."p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong del a".split(" "),
    ..."table thead tbody tr th td input span div sup sub".split(" "),
  ],
  ALLOWED_ATTR: [
    "href",
    "class",
    "start",
    "align",
    "type",
    "checked",
    "disabled",
    "data-math",
    "data-display",
  ],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/**
 * The blocks of a text: all but the last are complete whatever follows.
 * @param {string} text
 * @param {string[]} known the blocks of an earlier state of the text
 */
export function splitBlocks(text, known = []) {
  const stable = known.slice(0, -1);
  const size = stable.reduce((sum, block) => sum + block.length, 0);
  if (!text.startsWith(stable.join(""))) return splitBlocks(text);
  /** @type {string[]} */
  const blocks = [];
  for (const token of marked.lexer(text.slice(size))) {
    if (token.type === "space" && blocks.length) blocks[blocks.length - 1] += token.raw;
    else blocks.push(token.raw);
  }
  // The lexer normalizes line ends and tabs: if anything was lost, the text is one block.
  return blocks.join("").length === text.length - size
    ? [...stable, ...blocks]
    : [...stable, text.slice(size)];
}

/** @param {{text: string, isStreaming?: boolean}} props */
export function Markdown({ text, isStreaming = false }) {
  const known = useRef(/** @type {string[]} */ ([]));
  known.current = splitBlocks(text, known.current);
  const last = known.current.length - 1;
  return html`<div class="markdown">
    ${known.current.map((block, at) => html`<${Block} key=${at} text=${block} isOpen=${isStreaming && at === last} />`)}
  </div>`;
}

const Block = memo(
  /** @param {{text: string, isOpen: boolean}} props */
  function Block({ text, isOpen }) {
    const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
    useEffect(() => {
      const place = ref.current;
      if (!place) return;
      const parsed = /** @type {string} */ (marked.parse(text, { async: false }));
      const fragment = /** @type {DocumentFragment} */ (
        /** @type {unknown} */ (purify.sanitize(parsed, RULES))
      );
      highlightBlocks(fragment, isOpen);
      place.replaceChildren(fragment);
      if (!isOpen) renderMath(place);
    }, [text, isOpen]);
    return html`<div ref=${ref} />`;
  },
);
