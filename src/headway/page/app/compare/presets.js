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
  const providers = [...byProvider.keys()].sort(
    (a, b) => STAND_INS.indexOf(a) - STAND_INS.indexOf(b),
  );
  const lists = providers.map((provider) =>
    [...(byProvider.get(provider) ?? [])].sort(compareModels),
  );
  /** @type {Entry[]} */
  const found = [];
  const real = lists.filter((_, at) => !STAND_INS.includes(providers[at]));
  for (let round = 0; found.length < WANTED && real.some((list) => list[round]); round += 1) {
    found.push(...real.flatMap((list) => (list[round] ? [asEntry(list[round])] : [])));
  }
  for (const list of lists.filter((_, at) => STAND_INS.includes(providers[at]))) {
    if (found.length >= WANTED || !list.length) continue;
    found.push(asEntry(list[0]));
    if (list[0].provider === "local" && found.length === 1)
      found.push(asEntry(list[0], { temperature: 0 }));
  }
  return found.slice(0, WANTED);
}

/** @param {Model} model @param {Record<string, any>} [parameters] @returns {Entry} */
const asEntry = (model, parameters = {}) => ({ model: model.id, parameters });

/** Those with a known price first, the newest first. @param {Model} a @param {Model} b */
function compareModels(a, b) {
  const known = Number(b.prices !== null) - Number(a.prices !== null);
  return known || String(b.created ?? "").localeCompare(String(a.created ?? ""));
}
