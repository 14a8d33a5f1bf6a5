/**
 * What the side panel sets: only what the user set is sent.
 *
 * @typedef {object} Settings
 * @property {string} model
 * @property {string} system
 * @property {Record<string, number | string | string[]>} parameters by the name on the wire
 * @property {string} tools JSON as typed
 * @property {string} schema JSON as typed
 * @property {string} extra JSON of further fields, as typed
 *
 * @typedef {object} Field a parameter of the form
 * @property {string} name
 * @property {string} label
 * @property {"range" | "integer" | "list" | "choice"} kind
 * @property {string} help
 * @property {string[]} [values] of a choice
 * @property {{minimum?: number | null, maximum?: number | null, default?: any, step?: number | null}} range
 * @property {string | null} refused why it is not sent
 */

/** @returns {Settings} */
export const emptySettings = () => ({
  model: "",
  system: "",
  parameters: {},
  tools: "",
  schema: "",
  extra: "",
});

/** Names of one parameter on the wire; a model's description has the one that it takes. */
const LENGTH_NAMES = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
export const EFFORTS = ["minimal", "low", "medium", "high"];

/** @type {Omit<Field, "refused">[]} */
const FIELDS = [
  {
    name: "temperature",
    label: "Temperature",
    kind: "range",
    help: "Higher is more varied, 0 almost always the same.",
    range: { minimum: 0, maximum: 2, default: 1, step: 0.01 },
  },
  {
    name: "top_p",
    label: "Top P",
    kind: "range",
    help: "Only the likeliest tokens that add up to this share.",
    range: { minimum: 0, maximum: 1, default: 1, step: 0.01 },
  },
  {
    name: "max_tokens",
    label: "Maximum tokens",
    kind: "integer",
    help: "Ends the answer at this length.",
    range: { minimum: 1, maximum: null, default: null, step: 1 },
  },
  {
    name: "frequency_penalty",
    label: "Frequency penalty",
    kind: "range",
    help: "Above 0, fewer repetitions of words.",
    range: { minimum: -2, maximum: 2, default: 0, step: 0.01 },
  },
  {
    name: "presence_penalty",
    label: "Presence penalty",
    kind: "range",
    help: "Above 0, more new subjects.",
    range: { minimum: -2, maximum: 2, default: 0, step: 0.01 },
  },
  {
    name: "top_k",
    label: "Top K",
    kind: "integer",
    help: "Only this many of the likeliest tokens.",
    range: { minimum: 0, maximum: null, default: null, step: 1 },
  },
  {
    name: "reasoning_effort",
    label: "Reasoning effort",
    kind: "choice",
    help: "How long the model thinks first.",
    values: EFFORTS,
    range: {},
  },
  {
    name: "seed",
    label: "Seed",
    kind: "integer",
    help: "The same seed asks for the same answer.",
    range: { minimum: null, maximum: null, default: null, step: 1 },
  },
  {
    name: "stop",
    label: "Stop at",
    kind: "list",
    help: "One text a line, at most four: the answer ends before it.",
    range: {},
  },
];
/** Not in a model's list of ranges although the gateway takes them. */
const WITHOUT_RANGE = ["reasoning_effort", "seed", "stop"];

/**
 * The form of a model: its own ranges, and what it refuses with the reason.
 * @param {import("../state/models.js").Model | undefined} model undefined: nothing is known
 * @returns {Field[]}
 */
export function fieldsOf(model) {
  const isListed = (/** @type {string} */ name) =>
    namesOf(name).some((one) => model?.parameters[one]);
  return FIELDS.filter((field) => field.name !== "top_k" || isListed("top_k")).map((field) => {
    const found = namesOf(field.name)
      .map((name) => model?.parameters[name])
      .find(Boolean);
    const range = { ...field.range, ...withoutUnset(found ?? {}) };
    if (field.name === "max_tokens") {
      // Unset, it is the provider's own, which the range does not say.
      range.default = null;
      if (model?.max_output) range.maximum = model.max_output;
    }
    return {
      ...field,
      range,
      refused: model ? whyRefused(model, field, isListed(field.name)) : null,
    };
  });
}

/** @param {string} name */
const namesOf = (name) => (LENGTH_NAMES.includes(name) ? LENGTH_NAMES : [name]);

/** @param {Record<string, any>} values */
const withoutUnset = (values) =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined),
  );

/** @param {import("../state/models.js").Model} model @param {Omit<Field, "refused">} field @param {boolean} isListed */
function whyRefused(model, field, isListed) {
  if (namesOf(field.name).some((name) => model.refuses.includes(name)))
    return "This model refuses it.";
  if (field.name === "reasoning_effort")
    return model.abilities.reasoning === false ? "This model does not reason." : null;
  const knows = Object.keys(model.parameters).length > 0;
  if (knows && !isListed && !WITHOUT_RANGE.includes(field.name))
    return `${model.provider_name ?? "The provider"} does not take it.`;
  return null;
}

/** The name under which `model` takes a parameter. @param {string} name @param {import("../state/models.js").Model | undefined} model */
export function wireName(name, model) {
  return name === "max_tokens" && model?.parameters.max_completion_tokens
    ? "max_completion_tokens"
    : name;
}

/** What is wrong with a value, or null. @param {Field} field @param {number | string | string[]} value */
export function checkParameter(field, value) {
  if (typeof value !== "number") return null;
  const { minimum, maximum } = field.range;
  if (field.kind === "integer" && !Number.isInteger(value)) return "A whole number, please.";
  if (typeof minimum === "number" && value < minimum) return `At least ${minimum}.`;
  if (typeof maximum === "number" && value > maximum) return `At most ${maximum}.`;
  return null;
}

/** What is set, in few words. @param {Settings} settings @param {import("../state/models.js").Model | undefined} model @returns {string[]} */
export function describeSettings(settings, model) {
  const chips = settings.system.trim() ? ["system prompt"] : [];
  for (const field of fieldsOf(model)) {
    const value = settings.parameters[field.name];
    if (value === undefined || field.refused) continue;
    chips.push(
      `${field.label.toLowerCase()} ${Array.isArray(value) ? value.map((one) => JSON.stringify(one)).join(" ") : value}`,
    );
  }
  const texts = /** @type {const} */ ([
    ["tools", "tools"],
    ["schema", "JSON schema"],
    ["extra", "other fields"],
  ]);
  return [...chips, ...texts.filter(([name]) => settings[name].trim()).map(([, label]) => label)];
}
