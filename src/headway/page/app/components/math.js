/** Mathematics in answers: recognized by marked, drawn by KaTeX, which is loaded when needed. */

/** @param {string} text */
const escapeHtml = (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** @param {string} source @param {boolean} isDisplay */
const place = (source, isDisplay) =>
  `<span data-math="${escapeHtml(source)}" data-display="${isDisplay}">${escapeHtml(source)}</span>`;

// A dollar sign is mathematics only where it cannot be money: no blank inside, no digit after it.
const INLINE = /^(?:\\\((.+?)\\\)|\$(?!\s)((?:\\.|[^\\$\n])+?)(?<![\s\\])\$(?!\d))/;
const DISPLAY = /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])/;

/** @type {any[]} extensions of marked */
export const mathExtensions = [
  {
    name: "displayMath",
    level: "block",
    start: (/** @type {string} */ text) => text.search(/\$\$|\\\[/),
    tokenizer: (/** @type {string} */ text) => find(DISPLAY, text, "displayMath"),
    renderer: (/** @type {any} */ token) => `<p>${place(token.source, true)}</p>`,
  },
  {
    name: "inlineMath",
    level: "inline",
    start: (/** @type {string} */ text) => text.search(/\$|\\\(/),
    tokenizer: (/** @type {string} */ text) =>
      find(DISPLAY, text, "inlineMath") ?? find(INLINE, text, "inlineMath"),
    renderer: (/** @type {any} */ token) => place(token.source, token.isDisplay),
  },
];

/** @param {RegExp} pattern @param {string} text @param {string} type */
function find(pattern, text, type) {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const source = (match[1] ?? match[2]).trim();
  return { type, raw: match[0], source, isDisplay: pattern === DISPLAY };
}

/** Draws all mathematics in `root`. @param {Element} root */
export async function renderMath(root) {
  const places = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-math]"));
  if (!places.length) return;
  const { default: katex } = await import("katex");
  loadStyles();
  for (const node of places) {
    const { math = "", display } = node.dataset;
    try {
      katex.render(math, node, {
        displayMode: display === "true",
        throwOnError: true,
        trust: false,
        maxExpand: 200,
        maxSize: 20,
      });
    } catch {
      node.className = "math-source";
      node.textContent = math;
    }
  }
}

function loadStyles() {
  if (document.querySelector("link[data-katex]")) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.dataset.katex = "";
  link.href = new URL("../../vendor/katex/katex.css", import.meta.url).href;
  document.head.append(link);
}
