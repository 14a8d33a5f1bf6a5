/** The state of the page: what is asked, what runs, what is shown. It outlives a visit of other pages. */
import { computed, signal } from "@preact/signals";
import { areModelsLoaded, models } from "../state/models.js";
import { navigate, route, routeHref } from "../state/router.js";
import { keptSignal } from "../state/settings.js";
import { decodeState, encodeState } from "../state/share.js";
import { EMPTY, hasQuestion, readExperiment, writeExperiment } from "./experiment.js";
import { suggestEntries } from "./presets.js";
import { Session } from "./session.js";

/** @typedef {import("./experiment.js").Experiment} Experiment */
/** @typedef {import("./experiment.js").Entry} Entry */

export const experiment = signal(EMPTY);
export const session = signal(/** @type {Session | null} */ (null));
/** "one" prompt, or "many" from a file. */
export const mode = signal(/** @type {"one" | "many"} */ ("one"));
/** The models of the last comparison that was started. */
export const lastEntries = keptSignal("compare.models", /** @type {any[]} */ ([]));
/** Whether the names of the current session are still hidden. */
export const isHidden = signal(false);
/** The order in which a session is shown: positions of its groups, shuffled when blind. */
export const order = signal(/** @type {number[]} */ ([]));
/** The position of the group that the others are compared with; null: answers as they are. */
export const baseIndex = signal(/** @type {number | null} */ (null));

export const canRun = computed(
  () =>
    experiment.value.entries.length > 0 && (mode.value === "many" || hasQuestion(experiment.value)),
);

let wasSuggested = false;

/** Once the models are known: those of the last comparison, else three that are worth comparing. */
export function suggestModels() {
  if (!areModelsLoaded.value || !models.value.length || wasSuggested) return;
  wasSuggested = true;
  const { query } = route.peek();
  if (experiment.peek().entries.length || query.has("s") || query.has("model")) return;
  const last = readExperiment({ models: lastEntries.peek() }).entries;
  const known = last.filter((entry) => models.value.some((model) => model.id === entry.model));
  change({ entries: known.length ? known : suggestEntries(models.value) });
}

/** @param {Partial<Experiment>} values */
export function change(values) {
  experiment.value = { ...experiment.peek(), ...values };
}

/** @param {number} at @param {Partial<Entry>} values */
export function changeEntry(at, values) {
  change({
    entries: experiment.value.entries.map((entry, index) =>
      index === at ? { ...entry, ...values } : entry,
    ),
  });
}

/** Asks the models what the experiment says. */
export async function start() {
  if (!canRun.value || session.value?.isRunning.value) return;
  lastEntries.value = writeExperiment(experiment.value).models ?? [];
  const next = new Session(experiment.value);
  const positions = next.groups.map((_, at) => at);
  order.value = experiment.value.isBlind ? shuffle(positions) : positions;
  isHidden.value = experiment.value.isBlind;
  baseIndex.value = null;
  session.value = next;
  await next.run();
}

export function stop() {
  session.value?.stop();
}

/** Takes away what was asked and answered; the models stay. */
export function startOver() {
  stop();
  session.value = null;
  change({ prompt: "", system: "", messages: [] });
}

/** @param {number[]} values */
function shuffle(values) {
  const left = [...values];
  return values.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
}

// --- The address ------------------------------------------------------------------------------------

const WRITE_MS = 250;
let written = "";
/** The address that is being read. */
let reading = Promise.resolve();

/** A link that reproduces the experiment. */
export async function linkHref() {
  const state = writeExperiment(experiment.value);
  return routeHref("compare", [], Object.keys(state).length ? { s: await encodeState(state) } : {});
}

/** Writes the experiment into the address a moment later. @returns {() => void} cancels it */
export function writeAddress() {
  let isCancelled = false;
  const timer = setTimeout(async () => {
    await reading; // What the address says comes first.
    const href = await linkHref();
    if (isCancelled || route.value.page !== "compare") return;
    written = new URLSearchParams(href.split("?")[1] ?? "").get("s") ?? "";
    if (href !== location.hash) navigate(href, { replace: true });
  }, WRITE_MS);
  return () => {
    isCancelled = true;
    clearTimeout(timer);
  };
}

/**
 * Takes over the experiment of an address: `s`, or `model` (repeated) and `prompt` in plain text.
 * @param {URLSearchParams} query
 */
export function readAddress(query) {
  const found = takeAddress(query);
  reading = found.catch(() => {});
  return found;
}

/** @param {URLSearchParams} query */
async function takeAddress(query) {
  const packed = query.get("s") ?? "";
  if (packed && packed !== written) {
    written = packed;
    experiment.value = readExperiment(await decodeState(packed));
    session.value?.stop();
    session.value = null;
  } else if (query.has("model") || query.has("prompt")) {
    const models = query.getAll("model");
    const named = readExperiment({
      ...writeExperiment(EMPTY),
      models,
      prompt: query.get("prompt") ?? "",
    });
    change({
      ...(named.entries.length && { entries: named.entries }),
      ...(named.prompt && { prompt: named.prompt }),
    });
  }
}
