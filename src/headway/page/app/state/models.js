/** The models that can be called here, fetched once and when asked. */
import { computed, effect, signal } from "@preact/signals";
import { gatewayKey, getJson, isKeyRequired } from "../api/client.js";

/**
 * @typedef {object} Model as `GET /api/models` lists it
 * @property {string} id `provider/model`, or the name of a route or alias
 * @property {string} provider
 * @property {string} provider_name
 * @property {string} model the name without the provider
 * @property {string | null} name for people
 * @property {string} kind such as `chat`
 * @property {number | null} context_window tokens
 * @property {number | null} [max_output] tokens
 * @property {Record<string, number | null> | null} prices US dollars for a million tokens
 * @property {Record<string, boolean | null>} abilities
 * @property {string[]} refuses parameters
 * @property {Record<string, {minimum?: number, maximum?: number, default?: number}>} parameters
 * @property {boolean | null} deprecated
 * @property {string | number | null} [created]
 * @property {boolean} usable
 * @property {boolean} is_route
 * @property {boolean} is_alias
 */

export const models = signal(/** @type {Model[]} */ ([]));
export const modelsError = signal(/** @type {Error | null} */ (null));
export const areModelsLoaded = signal(false);
export const modelById = computed(() => new Map(models.value.map((model) => [model.id, model])));

/** Fetches the list of usable models again. */
export async function loadModels() {
  try {
    const { data } = await getJson("api/models", { query: { usable: "true", kind: "chat" } });
    models.value = data;
    modelsError.value = null;
  } catch (error) {
    modelsError.value = /** @type {Error} */ (error);
  }
  areModelsLoaded.value = true;
}

effect(() => {
  gatewayKey.value;
  if (!isKeyRequired.peek() || gatewayKey.value) loadModels();
});
