/**
 * The conversation in the address, so that a link reproduces it, and in the tab's storage, so that a
 * reload loses nothing: pictures and the times of all events are only there.
 */
import { batch, effect, signal, untracked } from "@preact/signals";
import { getJson } from "../api/client.js";
import { navigate, route, routeHref } from "../state/router.js";
import { decodeState, encodeState } from "../state/share.js";
import { draft, restore, runs, setModel, settings, startNew, tree } from "./conversation.js";
import { answerOf } from "./live_answer.js";
import { MAX_LINK_IMAGES, packState, unpackState } from "./saved_state.js";

const KEY = "headway.playground";
const PAUSE_MS = 500;
/** Longer addresses are refused by many programs. */
const MAX_LINK = 64_000;
/** Stands in the address for what is too long for it. */
const ONLY_KEPT = "kept";

/** What the link does not say, for the user to know. */
export const linkNotice = signal(/** @type {string | null} */ (null));
/** Why what the address names could not be shown. */
export const linkError = signal(/** @type {string | null} */ (null));
export const isOpening = signal(false);

let written = "";
let timer = 0;
let writes = 0;
let isWatching = false;

/** The conversation now, with answers that are still arriving as far as they are here. */
function current() {
  const turns = tree.value.turns.map((turn) => {
    const run = runs.value.get(turn.id);
    return run ? { ...turn, answer: answerOf(run) } : turn;
  });
  return { settings: settings.value, tree: { ...tree.value, turns }, draft: draft.value.text };
}

/** Begins to follow the address and to keep it up to date; once for the page's life. */
export function watchLink() {
  if (isWatching) return;
  isWatching = true;
  effect(() => {
    const { page, query } = route.value;
    if (page === "playground") untracked(() => open(query));
  });
  effect(() => {
    current();
    clearTimeout(timer);
    timer = setTimeout(write, PAUSE_MS);
  });
  addEventListener("pagehide", keepInTab);
}

/** @param {URLSearchParams} query */
function open(query) {
  const [state, model, replay] = ["s", "model", "replay"].map((name) => query.get(name));
  if (query.has("new")) batch(() => startNew());
  else if (replay) openRecord(replay);
  else if (state && state !== written) openState(state);
  else if (!state && !model && !written) openKept();
  if (model) batch(() => setModel(model));
  if (query.has("new") || model || !state || state === written) write();
}

/** @param {string} state */
async function openState(state) {
  written = state;
  isOpening.value = true;
  try {
    const kept = readKept();
    restore(unpackState(kept?.state === state ? kept.whole : await decodeState(state)));
    linkError.value = null;
  } catch {
    linkError.value =
      state === ONLY_KEPT
        ? "This conversation was too long for a link, and is not in this tab."
        : "This link is damaged: its end may be missing.";
  }
  isOpening.value = false;
}

/** @param {string} id of a recorded call */
async function openRecord(id) {
  isOpening.value = true;
  try {
    const [{ importLog }, detail] = await Promise.all([
      import("./log_import.js"),
      getJson(`api/logs/${encodeURIComponent(id)}`),
    ]);
    restore(importLog(detail));
    linkError.value = null;
  } catch (error) {
    linkError.value = /** @type {Error} */ (error).message;
  }
  isOpening.value = false;
  written = "";
  write();
}

function openKept() {
  const kept = readKept();
  if (!kept) return;
  try {
    restore(unpackState(kept.whole));
  } catch {
    sessionStorage.removeItem(KEY);
  }
}

/** @returns {{state: string, whole: unknown} | null} */
function readKept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/** Puts the conversation into the address. */
async function write() {
  clearTimeout(timer);
  if (isOpening.peek()) return;
  writes += 1;
  const turn = writes;
  const now = untracked(current);
  const state = await encodeState(packState(now, { isLink: true }));
  if (route.peek().page !== "playground" || isOpening.peek() || turn !== writes) return;
  const isTooLong = state.length > MAX_LINK;
  const images = now.tree.turns.reduce((sum, turn) => sum + turn.images.join("").length, 0);
  linkNotice.value = isTooLong
    ? "This conversation is too long for a link: it stays in this tab only."
    : images > MAX_LINK_IMAGES
      ? "The link to this conversation leaves its pictures out: they are too large for an address."
      : null;
  written = isTooLong ? ONLY_KEPT : state;
  keepInTab();
  const href = routeHref("playground", [], { s: written });
  if (location.hash !== href) navigate(href, { replace: true });
}

function keepInTab() {
  try {
    sessionStorage.setItem(
      KEY,
      JSON.stringify({ state: written, whole: packState(untracked(current), { isLink: false }) }),
    );
  } catch {
    // The storage is full: the address has the text.
  }
}
