/** A block of code in an answer: a head with the language and a button that copies. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { copyText } from "./toasts.js";

/** Names of languages in Markdown, as the highlighter calls them. @type {Record<string, string>} */
const LANGUAGES = {
  bash: "bash",
  c: "c",
  console: "bash",
  cpp: "c",
  "c++": "c",
  css: "css",
  diff: "diff",
  go: "go",
  html: "html",
  java: "java",
  javascript: "js",
  js: "js",
  json: "json",
  jsonc: "json",
  jsx: "js",
  markdown: "md",
  md: "md",
  py: "py",
  python: "py",
  rs: "rs",
  rust: "rs",
  sh: "bash",
  shell: "bash",
  sql: "sql",
  toml: "toml",
  ts: "ts",
  tsx: "ts",
  typescript: "ts",
  xml: "xml",
  yaml: "yaml",
  yml: "yaml",
};
const MAX_HIGHLIGHTED = 40_000;

/**
 * @param {{text: string, language: string, isOpen: boolean}} props while a block is still being
 *   written (`isOpen`) it is not highlighted
 */
export function CodeBlock({ text, language, isOpen }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const place = ref.current;
    if (!place) return;
    writeText(place, text);
    const known = LANGUAGES[language.toLowerCase()];
    if (known && !isOpen && text.length < MAX_HIGHLIGHTED) highlight(place, text, known);
  }, [text, language, isOpen]);
  return html`<div class="code-block">
    <div class="code-head"><span class="truncate">${language || "text"}</span>
      <button type="button" class="button plain compact" onClick=${() => copyText(text, "Code")}>Copy</button></div>
    <pre tabindex="0" role="region" aria-label="Code"><code ref=${ref} /></pre>
  </div>`;
}

/** Appends where `text` only grew: a selection in it stays. @param {HTMLElement} place @param {string} text */
function writeText(place, text) {
  const [node] = place.childNodes;
  const isGrown =
    node instanceof Text && place.childNodes.length === 1 && text.startsWith(node.data);
  if (isGrown) node.appendData(text.slice(node.data.length));
  else place.textContent = text;
}

/**
 * Colours `text` in `place`; leaves it plain where the highlighter fails.
 * @param {Element} place @param {string} text @param {string} language
 */
export async function highlight(place, text, language) {
  try {
    const { tokenize } = await import("@speed-highlight/core");
    const parts = document.createDocumentFragment();
    await tokenize(text, /** @type {any} */ (language), (piece, type) => {
      if (!type) {
        parts.append(piece);
        return;
      }
      const span = document.createElement("span");
      span.className = `shj-syn-${type}`;
      span.textContent = piece;
      parts.append(span);
    });
    place.replaceChildren(parts);
  } catch {
    place.textContent = text;
  }
}
