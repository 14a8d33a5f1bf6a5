/**
 * The first words of the prompts in view, where messages are kept. They are asked for when the rows
 * rest, a few at a time, and only the words are remembered.
 */
import { signal } from "@preact/signals";
import { getJson } from "../api/client.js";
import { lastPrompt } from "./messages.js";

const WORDS_LENGTH = 160;
const REST_MS = 150;
const AT_ONCE = 3;
const REMEMBERED = 1000;
/** Prompts of more tokens are too large to fetch for their first words. */
const MOST_TOKENS = 50_000;

/** By call, the oldest first. @type {Map<string, string>} */
const known = new Map();
/** Changes when words came. */
export const previewVersion = signal(0);
/** @type {string[]} */
let wanted = [];
let running = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {import("./types.js").Row} row */
export function previewOf(row) {
  previewVersion.value;
  if (row.error?.message && row.content !== "full") return row.error.message;
  return known.get(row.call_id) ?? "";
}

/** @param {import("./types.js").Row[]} rows in view */
export function wantPreviews(rows) {
  wanted = rows
    .filter(
      (row) =>
        row.content === "full" && (row.input_tokens ?? 0) < MOST_TOKENS && !known.has(row.call_id),
    )
    .map((row) => row.call_id);
  clearTimeout(timer);
  if (wanted.length)
    timer = setTimeout(() => {
      while (running < AT_ONCE && wanted.length) fetchNext();
    }, REST_MS);
}

async function fetchNext() {
  const id = wanted.shift();
  if (!id) return;
  running += 1;
  let text = "";
  try {
    const { conversation } = await getJson(`api/logs/${encodeURIComponent(id)}`);
    text = lastPrompt(conversation?.messages ?? [])
      .replace(/\s+/g, " ")
      .slice(0, WORDS_LENGTH);
  } catch {
    // The row stays without words: the call says more when it is opened.
  }
  running -= 1;
  known.set(id, text);
  const oldest = known.size > REMEMBERED ? known.keys().next().value : undefined;
  if (oldest) known.delete(oldest);
  previewVersion.value += 1;
  fetchNext();
}
