/**
 * A model's answer as Markdown. While text streams in, only the tokens that changed are drawn again,
 * and no more often than this machine can.
 */
import { useSignal } from "@preact/signals";
import { Marked } from "marked";
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { drawTokens } from "./markdown_tokens.js";
import { mathExtensions } from "./math.js";

/** @typedef {{type: string, raw: string}} Block a token of marked */

const marked = new Marked({ gfm: true, breaks: true, extensions: mathExtensions });
/** After drawing, this many times as long as it took is rested. */
const REST = 3;
/** A definition of a link, which may concern all of the text. */
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:/m;

/**
 * The blocks of a text that grows: all but the last are complete whatever follows.
 * @param {string} text
 * @param {Block[]} known the blocks of an earlier state of the text
 * @returns {Block[]}
 */
export function splitBlocks(text, known = []) {
  const stable = known.slice(
    0,
    known.findLastIndex((block) => block.type !== "space"),
  );
  const before = stable.map((block) => block.raw).join("");
  // Where the lexer normalized line ends or tabs, the text is read whole.
  if (!text.startsWith(before)) return splitBlocks(text);
  const rest = text.slice(before.length);
  return [...stable, ...marked.lexer(rest)];
}

/** @param {{text: string, isStreaming?: boolean}} props */
export function Markdown({ text, isStreaming = false }) {
  const { shown, onDrawn } = useRested(text, isStreaming);
  const known = useRef({ text: "", isWhole: false, blocks: /** @type {Block[]} */ ([]) });
  const isWhole = !isStreaming && DEFINITION.test(shown);
  if (known.current.text !== shown || known.current.isWhole !== isWhole) {
    const blocks = isWhole ? splitBlocks(shown) : splitBlocks(shown, known.current.blocks);
    known.current = { text: shown, isWhole, blocks };
  }
  useLayoutEffect(onDrawn);
  return html`<div key=${isWhole} class="markdown">${drawTokens(known.current.blocks, isStreaming)}</div>`;
}

/**
 * The text to draw now: while it streams, an older one as long as drawing rests.
 * @param {string} text @param {boolean} isStreaming
 */
function useRested(text, isStreaming) {
  const turn = useSignal(0);
  const state = useRef({ shown: text, restUntil: 0, startedAt: 0, isDrawing: false });
  const now = performance.now();
  const wait = isStreaming ? state.current.restUntil - now : 0;
  turn.value;
  if (text !== state.current.shown && wait <= 0) {
    state.current = { ...state.current, shown: text, startedAt: now, isDrawing: true };
  }
  const isLate = text !== state.current.shown;
  useLayoutEffect(() => {
    if (!isLate) return;
    const timer = setTimeout(() => {
      turn.value += 1;
    }, wait);
    return () => clearTimeout(timer);
  }, [isLate, text]);
  const onDrawn = () => {
    if (!state.current.isDrawing) return;
    const end = performance.now();
    state.current = {
      ...state.current,
      isDrawing: false,
      restUntil: end + (end - state.current.startedAt) * REST,
    };
  };
  return { shown: state.current.shown, onDrawn };
}
