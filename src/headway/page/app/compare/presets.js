/** What to begin with: models and prompts. Values without DOM. */

/** @typedef {import("../state/models.js").Model} Model */
/** @typedef {import("./experiment.js").Entry} Entry */

export const EXAMPLES = [
  {
    title: "Explain",
    prompt:
      "Explain in three short paragraphs how a bicycle stays upright, for a curious ten-year-old.",
  },
  {
    title: "Write code",
    prompt:
      "Write a Python function that merges overlapping intervals, with a docstring and two examples.",
  },
  {
    title: "Summarize",
    prompt:
      "Name the five most important ideas of the theory of evolution, one sentence each, as a list.",
  },
  {
    title: "Reason",
    prompt:
      "A bat and a ball cost 1.10 dollars together. The bat costs one dollar more than the ball. What does the ball cost? Show the steps.",
  },
];

const WANTED = 3;
/** Providers of this machine, for when there is no other. */
const STAND_INS = ["local", "echo"];

/**
 * Three models to compare: of different providers where there are several, else one model in two
 * ways.
 * @param {Model[]} models that are usable
 * @returns {Entry[]}
 */
export function suggestEntries(models) {
  const plain = models.filter(
    (model) => !model.is_alias && !model.is_route && model.deprecated !== true,
  );
  /** @type {Map<string, Model[]>} */
  const byProvider = new Map();
  for (const model of plain)
    byProvider.set(model.provider, [...(byProvider.get(model.provider) ?? []), model]);
  const real = [...byProvider]
    .filter(([provider]) => !STAND_INS.includes(provider))
    .map(([, list]) => [...list].sort(compareModels));
  /** @type {Entry[]} */
  const found = [];
  for (let round = 0; found.length < WANTED && real.some((list) => list[round]); round += 1) {
    found.push(...real.flatMap((list) => (list[round] ? [asEntry(list[round])] : [])));
  }
  const [local] = byProvider.get("local") ?? [];
  const [echo] = byProvider.get("echo") ?? [];
  if (local && found.length < WANTED) found.push(asEntry(local));
  if (local && found.length === 1) found.push(asEntry(local, { temperature: 0 }));
  if (echo && found.length < WANTED) found.push(asEntry(echo));
  if (local && found.length === 2) found.push(asEntry(local, { temperature: 1.3 }));
  return found.slice(0, WANTED);
}

/** @param {Model} model @param {Record<string, any>} [parameters] @returns {Entry} */
const asEntry = (model, parameters = {}) => ({ model: model.id, parameters });

/** Those with a known price first, the newest first. @param {Model} a @param {Model} b */
function compareModels(a, b) {
  const known = Number(b.prices !== null) - Number(a.prices !== null);
  return known || String(b.created ?? "").localeCompare(String(a.created ?? ""));
}
