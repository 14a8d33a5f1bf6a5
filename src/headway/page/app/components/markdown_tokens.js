/**
 * Tokens of marked as elements. No HTML is made and none is parsed: text becomes text nodes, so what
 * a model writes cannot be markup. Links lead to the web or to mail; pictures are links, nothing is
 * fetched that a model names.
 */
import { Component } from "preact";
import { html } from "../html.js";
import { CodeBlock } from "./code_block.js";
import { decodeEntities } from "./html_entities.js";
import { Formula } from "./math.js";

/** @typedef {any} Token of marked */

/**
 * A token, drawn again only when its source has changed.
 * @extends {Component<{token: Token, isOpen: boolean}>}
 */
class View extends Component {
  /** @param {{token: Token, isOpen: boolean}} next */
  shouldComponentUpdate({ token, isOpen }) {
    const now = this.props;
    if (token === now.token) return isOpen !== now.isOpen;
    const isSame =
      token.raw === now.token.raw &&
      token.type === now.token.type &&
      token.loose === now.token.loose;
    return !isSame || isOpen !== now.isOpen;
  }

  render() {
    const { token, isOpen } = this.props;
    return drawers[token.type]?.(token, isOpen) ?? decodeEntities(token.text ?? token.raw ?? "");
  }
}

/** @param {Token[] | undefined} tokens @param {boolean} [isOpen] whether the last is still being written */
export function drawTokens(tokens, isOpen = false) {
  if (!tokens) return null;
  const last = tokens.findLastIndex((token) => token.type !== "space");
  return tokens.map(
    (token, at) => html`<${View} key=${at} token=${token} isOpen=${isOpen && at === last} />`,
  );
}

/** @type {Record<string, (token: Token, isOpen: boolean) => unknown>} */
const drawers = {
  space: () => null,
  def: () => null,
  paragraph: ({ tokens }) => html`<p>${drawTokens(tokens)}</p>`,
  heading: ({ tokens, depth }) => html`<${HEADINGS[depth - 1]}>${drawTokens(tokens)}<//>`,
  code: ({ text, lang }, isOpen) =>
    html`<${CodeBlock} text=${text} language=${/^\S*/.exec(lang ?? "")?.[0] ?? ""} isOpen=${isOpen} />`,
  blockquote: ({ tokens }, isOpen) => html`<blockquote>${drawTokens(tokens, isOpen)}</blockquote>`,
  list: drawList,
  list_item: ({ tokens }, isOpen) => html`<li>${drawTokens(tokens, isOpen)}</li>`,
  checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  table: drawTable,
  hr: () => html`<hr />`,
  html: drawHtml,
  text: ({ tokens, text }) => (tokens ? drawTokens(tokens) : decodeEntities(text)),
  escape: ({ text }) => text,
  link: drawLink,
  image: ({ href, text }) =>
    drawLink({ href, tokens: [{ type: "text", raw: text, text: text || href }] }),
  strong: ({ tokens }) => html`<strong>${drawTokens(tokens)}</strong>`,
  em: ({ tokens }) => html`<em>${drawTokens(tokens)}</em>`,
  del: ({ tokens }) => html`<del>${drawTokens(tokens)}</del>`,
  codespan: ({ text }) => html`<code>${text}</code>`,
  br: () => html`<br />`,
  displayMath: ({ source }) => html`<p><${Formula} source=${source} isDisplay=${true} /></p>`,
  inlineMath: ({ source, isDisplay }) =>
    html`<${Formula} source=${source} isDisplay=${isDisplay} />`,
};

/** Below the headings of the page. */
const HEADINGS = ["h3", "h4", "h5", "h6", "h6", "h6"];

/** @param {Token} token @param {boolean} isOpen */
function drawList({ ordered, start, items }, isOpen) {
  const drawn = drawTokens(items, isOpen);
  return ordered
    ? html`<ol start=${start === 1 ? undefined : start}>${drawn}</ol>`
    : html`<ul>${drawn}</ul>`;
}

/** @param {Token} token */
function drawTable({ header, rows }) {
  const cell =
    (/** @type {string} */ name) =>
    (/** @type {any} */ { tokens, align }, /** @type {number} */ at) =>
      html`<${name} key=${at} class=${align ? `align-${align}` : undefined}>${drawTokens(tokens)}<//>`;
  return html`<div class="table-place" tabindex="0" role="region" aria-label="Table"><table>
    <thead><tr>${header.map(cell("th"))}</tr></thead>
    <tbody>${rows.map((/** @type {any[]} */ row, /** @type {number} */ at) => html`<tr key=${at}>${row.map(cell("td"))}</tr>`)}</tbody>
  </table></div>`;
}

/** HTML is shown as text, but for a line break. @param {Token} token */
function drawHtml({ text, block }) {
  if (/^<br\s*\/?>\s*$/i.test(text)) return html`<br />`;
  return block ? html`<p class="html-source">${text.trimEnd()}</p>` : text;
}

/** @param {Token} token */
function drawLink({ href, title, tokens }) {
  const isSafe = /^(?:https?:\/\/|mailto:)/i.test(href);
  if (!isSafe) return html`<span title=${href}>${drawTokens(tokens)}</span>`;
  return html`<a href=${href} title=${title ?? undefined} target="_blank" rel="noopener noreferrer nofollow">${drawTokens(tokens)}</a>`;
}
