/** Blocks of code in an answer: a head with the language and a button that copies. */
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
 * Replaces each `<pre>` of `fragment`. While a block is still being written (`isOpen`) it is not
 * highlighted.
 * @param {DocumentFragment} fragment
 * @param {boolean} isOpen
 */
export function highlightBlocks(fragment, isOpen) {
  for (const pre of fragment.querySelectorAll("pre")) {
    const code = pre.querySelector("code") ?? pre;
    const text = code.textContent ?? "";
    const language = (code.getAttribute("class") ?? "").replace("language-", "");
    const block = document.createElement("div");
    block.className = "code-block";
    pre.replaceWith(block);
    block.append(makeHead(language, text), pre);
    pre.tabIndex = 0;
    const known = LANGUAGES[language.toLowerCase()];
    if (known && !isOpen && text.length < MAX_HIGHLIGHTED) highlight(code, text, known);
  }
}

/** @param {string} language @param {string} text */
function makeHead(language, text) {
  const head = document.createElement("div");
  head.className = "code-head";
  const name = document.createElement("span");
  name.textContent = language || "text";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button plain compact";
  button.textContent = "Copy";
  button.addEventListener("click", () => copyText(text.replace(/\n$/, ""), "Code"));
  head.append(name, button);
  return head;
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
