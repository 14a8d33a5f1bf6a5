/** Finding and sorting models. Nothing here touches the page. */

/** @typedef {import("../state/models.js").Model} Model */

export const ABILITIES = [
  { name: "tools", label: "Tools" },
  { name: "images", label: "Images" },
  { name: "reasoning", label: "Reasoning" },
  { name: "json_schema", label: "JSON schema" },
  { name: "audio", label: "Audio" },
  { name: "documents", label: "Documents" },
];

/** What a model can be sorted by. Unknown is last in both directions.
 * @type {Record<string, (model: Model, row: any) => string | number | null | undefined>} */
export const SORTS = {
  id: (model) => model.id,
  context: (model) => model.context_window,
  input: (model) => model.prices?.input,
  output: (model) => model.prices?.output,
  calls: (_, row) => row?.calls,
  failed: (_, row) => (row?.calls ? row.failed / row.calls : null),
  ttft: (_, row) => row?.metrics.time_to_first_token_s?.p50,
  speed: (_, row) => row?.metrics.tokens_per_second?.p50,
};

/**
 * @param {Model[]} models
 * @param {{search: string, provider: string, kind: string, abilities: string[]}} filter
 */
export function findModels(models, { search, provider, kind, abilities }) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter((model) => {
    const text = `${model.id} ${model.name ?? ""} ${model.provider_name}`.toLowerCase();
    return (
      words.every((word) => text.includes(word)) &&
      (!provider || model.provider === provider) &&
      (!kind || model.kind === kind) &&
      abilities.every((ability) => model.abilities[ability])
    );
  });
}

/**
 * @param {Model[]} models
 * @param {Map<string, any>} behaviour
 * @param {string} column of `SORTS`
 * @param {boolean} isDown
 */
export function sortModels(models, behaviour, column, isDown) {
  const read = SORTS[column] ?? SORTS.id;
  const keyed = models.map((model) => ({ model, key: read(model, behaviour.get(model.id)) }));
  keyed.sort((a, b) => {
    const [one, other] = [a.key ?? null, b.key ?? null];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    const order = one < other ? -1 : one > other ? 1 : 0;
    return isDown ? -order : order;
  });
  return keyed.map(({ model }) => model);
}
