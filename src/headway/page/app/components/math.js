/** Mathematics in answers: recognized by marked, drawn by KaTeX, which is loaded when needed. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";

// A dollar sign is mathematics only where it cannot be money or a name: no blank inside, no letter or
// digit around it, no code between.
const INLINE = /^(?:\\\((.+?)\\\)|\$(?!\s)((?:\\.|[^\\$\n`])+?)(?<![\s\\])\$(?![\w$]))/;
const DISPLAY = /^(?:\$\$(?!\$)((?:\\[\s\S]|[^\\$])+?)\$\$(?!\$)|\\\[([\s\S]+?)\\\])/;

/** @type {any[]} extensions of marked */
export const mathExtensions = [
  {
    name: "displayMath",
    level: "block",
    start: (/** @type {string} */ text) => text.search(/(?<=^|\n) {0,3}(?:\$\$|\\\[)/),
    tokenizer: (/** @type {string} */ text) => find(DISPLAY, text, "displayMath"),
  },
  {
    name: "inlineMath",
    level: "inline",
    start: (/** @type {string} */ text) => text.search(/(?<![\w$])\$|\\[([]/),
    tokenizer: (/** @type {string} */ text) =>
      find(DISPLAY, text, "inlineMath") ?? find(INLINE, text, "inlineMath"),
  },
];

/** @param {RegExp} pattern @param {string} text @param {string} type */
function find(pattern, text, type) {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const source = (match[1] ?? match[2]).trim();
  return { type, raw: match[0], source, isDisplay: pattern === DISPLAY };
}

/** A formula; its source until KaTeX is here, and where it is not valid. @param {{source: string, isDisplay: boolean}} props */
export function Formula({ source, isDisplay }) {
  const ref = useRef(/** @type {HTMLSpanElement | null} */ (null));
  useLayoutEffect(() => {
    if (ref.current) draw(ref.current, source, isDisplay);
  }, [source, isDisplay]);
  return html`<span class="formula" ref=${ref} />`;
}

/** @type {any} */
let katex = null;

/** @param {HTMLElement} place @param {string} source @param {boolean} displayMode */
async function draw(place, source, displayMode) {
  try {
    if (!katex) {
      showSource(place, source);
      loadStyles();
      katex = (await import("katex")).default;
    }
    katex.render(source, place, {
      displayMode,
      throwOnError: true,
      trust: false,
      strict: false,
      maxExpand: 200,
      maxSize: 20,
    });
    place.classList.remove("math-source");
  } catch {
    showSource(place, source);
  }
}

/** @param {HTMLElement} place @param {string} source */
function showSource(place, source) {
  place.classList.add("math-source");
  place.textContent = source;
}

function loadStyles() {
  if (document.querySelector("link[data-katex]")) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.dataset.katex = "";
  link.href = new URL("../../vendor/katex/katex.css", import.meta.url).href;
  document.head.append(link);
}
