/** The conversation that is shown, and what can be done with it. It outlives the view of the page. */
import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { getJson, send } from "../api/client.js";
import { showToast } from "../components/toasts.js";
import { modelById, models } from "../state/models.js";
import { keptSignal } from "../state/settings.js";
import { Comparison } from "../streams/comparison.js";
import { answerOf } from "./live_answer.js";
import { buildBody, findProblem } from "./request.js";
import { emptyAnswer } from "./saved_state.js";
import { emptySettings } from "./settings.js";
import {
  addTurn,
  chooseTurn,
  emptyTree,
  findTurn,
  makeTurn,
  pathOf,
  pathTo,
  removeTurn,
  updateTurn,
} from "./turns.js";

/** @typedef {import("../streams/lane.js").Lane} Lane @typedef {import("./turns.js").Answer} Answer */

export const tree = signal(emptyTree());
export const settings = signal(emptySettings());
export const draft = signal({ text: "", images: /** @type {string[]} */ ([]) });
/** The answers that arrive now, by the id of their turn. */
export const runs = signal(/** @type {Map<string, Comparison>} */ (new Map()));
const RECORD_PAUSES_MS = [400, 1200, 4000];
/** The model that was used last, for the next visit. */
const lastModel = keptSignal("playground.model", "");

export const path = computed(() => pathOf(tree.value));
export const model = computed(() => modelById.value.get(settings.value.model));
export const isRunning = computed(() => path.value.some((turn) => runs.value.has(turn.id)));
/** What keeps a request from being sent, or null. */
export const problem = computed(() => findProblem(settings.value, model.value));

effect(() => {
  if (settings.value.model || !models.value.length) return;
  const first = defaultModel();
  untracked(() => changeSettings({ model: first }));
});

/** The model of the last visit, else the one on this machine, else the first. */
function defaultModel() {
  const ids = models.value.map((one) => one.id);
  const local = ids.find((id) => id.startsWith("local/"));
  return ids.includes(lastModel.peek()) ? lastModel.peek() : (local ?? ids[0] ?? "");
}

/** @param {Partial<import("./settings.js").Settings>} changes */
export function changeSettings(changes) {
  settings.value = { ...settings.peek(), ...changes };
}

/** @param {string} id */
export function setModel(id) {
  changeSettings({ model: id });
  if (id) lastModel.value = id;
}

/** @param {string} name @param {number | string | string[] | null} value null takes it away */
export function setParameter(name, value) {
  const { [name]: _, ...others } = settings.peek().parameters;
  changeSettings({ parameters: value === null ? others : { ...others, [name]: value } });
}

// --- Asking ----------------------------------------------------------------------------------------

/** Sends the draft behind the last turn. */
export function sendDraft() {
  const { text, images } = draft.peek();
  if ((!text.trim() && !images.length) || isRunning.peek() || problem.peek()) return;
  batch(() => {
    draft.value = { text: "", images: [] };
    askAfter(path.peek().at(-1)?.id ?? null, text, images);
  });
}

/** @param {string | null} parent @param {string} text @param {string[]} images */
function askAfter(parent, text, images) {
  const turn = makeTurn({ role: "user", parent, text, images });
  tree.value = addTurn(tree.peek(), turn);
  answer(turn.id);
}

/** Asks an edited prompt as an alternative to the old one. @param {string} id @param {string} text @param {string[]} images */
export function resend(id, text, images) {
  const turn = findTurn(tree.peek(), id);
  if (turn) batch(() => askAfter(turn.parent, text, images));
}

/** Another answer to the same prompt. @param {string} id of an answer @param {string} [name] of another model */
export function retry(id, name) {
  const turn = findTurn(tree.peek(), id);
  if (turn) retryWith(turn, name);
}

/** @param {import("./turns.js").Turn} turn of an answer @param {string} [name] */
function retryWith(turn, name) {
  if (turn.parent) answer(turn.parent, name ?? turn.model ?? undefined);
}

/** Gives the results of an answer's tool calls. @param {string} id of the answer @param {import("./turns.js").ToolResult[]} results */
export function giveResults(id, results) {
  const turn = findTurn(tree.peek(), id);
  const results_ = makeTurn({ role: "tool", parent: id, results });
  batch(() => {
    tree.value = addTurn(tree.peek(), results_);
    answer(results_.id, turn?.model ?? undefined);
  });
}

/** Asks a model to answer the turn `parent`. @param {string} parent @param {string} [name] */
export function answer(parent, name = settings.peek().model) {
  const given = { ...settings.peek(), model: name };
  const { model: asked, ...rest } = buildBody(
    given,
    pathTo(tree.peek(), parent),
    modelById.peek().get(name),
  );
  const turn = makeTurn({ role: "assistant", parent, model: name });
  const run = new Comparison({ models: [asked], ...rest });
  batch(() => {
    tree.value = addTurn(tree.peek(), turn);
    runs.value = new Map(runs.peek()).set(turn.id, run);
  });
  run.run().then(() => finish(turn.id, run));
}

/** @param {string} id @param {Comparison} run */
function finish(id, run) {
  batch(() => {
    tree.value = updateTurn(tree.peek(), id, { answer: answerOf(run) });
    runs.value = new Map([...runs.peek()].filter(([other]) => other !== id));
  });
  if (!run.lanes[0].metrics && run.id) addRecord(id, run.id);
}

/**
 * An answer that was stopped or failed comes without figures: its record has them, a moment later.
 * @param {string} id of the turn @param {string} comparison
 */
async function addRecord(id, comparison) {
  for (const pause of RECORD_PAUSES_MS) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const found = await getJson("api/logs", {
      query: { tag: `compare:${comparison}`, limit: 1 },
    }).catch(() => null);
    const record = found?.data?.[0];
    const turn = findTurn(tree.peek(), id);
    if (!turn?.answer) return;
    if (record) {
      const { id: recordId, provider, deployment } = record;
      tree.value = updateTurn(tree.peek(), id, {
        answer: {
          ...turn.answer,
          id: recordId,
          provider,
          servedModel: deployment,
          metrics: { ...record, cached_tokens: record.cache_read_tokens },
        },
      });
      return;
    }
  }
}

/** Stops what arrives on the path that is shown. What has arrived stays. */
export function stop() {
  for (const turn of path.peek()) runs.peek().get(turn.id)?.stop();
}

// --- The tree --------------------------------------------------------------------------------------

/** @param {string} id */
export function choose(id) {
  tree.value = chooseTurn(tree.peek(), id);
}

/** Deletes a turn with all that follow it; a message lets the user undo it. @param {string} id */
export function deleteTurn(id) {
  const before = tree.peek();
  const after = removeTurn(before, id);
  const gone = before.turns.filter((turn) => !after.turns.includes(turn));
  for (const turn of gone) runs.peek().get(turn.id)?.stop();
  tree.value = after;
  const text = gone.length > 1 ? `${gone.length} turns deleted` : "Turn deleted";
  showToast(text, "trash", {
    label: "Undo",
    run: () => {
      const back = gone.map((turn) =>
        turn.role === "assistant" && !turn.answer
          ? { ...turn, answer: { ...emptyAnswer(), status: /** @type {const} */ ("stopped") } }
          : turn,
      );
      tree.value = chooseTurn(
        {
          ...tree.peek(),
          turns: [...tree.peek().turns, ...back],
          chosen: { ...before.chosen, ...tree.peek().chosen },
        },
        id,
      );
    },
  });
}

/** Begins anew with the same settings. */
export function startNew() {
  stop();
  const before = tree.peek();
  batch(() => {
    tree.value = emptyTree();
    draft.value = { text: "", images: [] };
  });
  if (!before.turns.length) return;
  showToast("New conversation", "plus", {
    label: "Undo",
    run: () => {
      tree.value = before;
    },
  });
}

/** @param {import("./saved_state.js").Saved} saved */
export function restore(saved) {
  for (const run of runs.peek().values()) run.stop();
  batch(() => {
    tree.value = saved.tree;
    settings.value = saved.settings;
    draft.value = { text: saved.draft, images: [] };
  });
}

/** Tells the gateway what an answer was worth. @param {string} id of the turn @param {number} score */
export async function rate(id, score) {
  const turn = findTurn(tree.peek(), id);
  if (!turn?.answer?.id) return;
  const before = turn.answer.score;
  const setScore = (/** @type {number | null} */ value) => {
    const now = findTurn(tree.peek(), id);
    if (now?.answer)
      tree.value = updateTurn(tree.peek(), id, { answer: { ...now.answer, score: value } });
  };
  setScore(score);
  try {
    await send("api/feedback", { body: { id: turn.answer.id, score } });
  } catch (error) {
    setScore(before);
    showToast(/** @type {Error} */ (error).message, "warn");
  }
}

/** Asks again after an error. An answer of which nothing arrived is replaced. @param {string} id */
export function retryFailed(id) {
  const turn = findTurn(tree.peek(), id);
  if (!turn?.parent) return;
  const { text, reasoning, toolCalls } = turn.answer ?? emptyAnswer();
  batch(() => {
    if (!text && !reasoning && !toolCalls.length) tree.value = removeTurn(tree.peek(), id);
    retryWith(turn);
  });
}
