/** Blind votes: kept in this browser, and sent to the records that they are about. */
import { send } from "../api/client.js";
import { showToast } from "../components/toasts.js";
import { keptSignal } from "../state/settings.js";

/** @typedef {import("./ranking.js").Vote} Vote */

/** Names of models and who won; no prompt, no answer. */
export const votes = keptSignal("compare.votes", /** @type {Vote[]} */ ([]));

export const LABEL = "blind-vote";

/**
 * @param {{name: string, ids: string[]}[]} shown the models, with the ids of their records
 * @param {Vote["kind"]} kind
 * @param {string | null} winner
 */
export async function castVote(shown, kind, winner) {
  const models = shown.map(({ name }) => name);
  votes.value = [...votes.value, { models, winner, kind, time: new Date().toISOString() }];
  const scored = shown.flatMap(({ name, ids }) =>
    ids.map((id) => ({ id, score: scoreOf(kind, name === winner), label: LABEL })),
  );
  const results = await Promise.allSettled(scored.map((body) => send("api/feedback", { body })));
  if (results.some(({ status }) => status === "rejected")) {
    showToast("The vote is kept in this browser; the gateway did not keep all of it", "warn");
  }
}

/** @param {Vote["kind"]} kind @param {boolean} isWinner */
const scoreOf = (kind, isWinner) => (kind === "tie" ? 0.5 : Number(isWinner));
