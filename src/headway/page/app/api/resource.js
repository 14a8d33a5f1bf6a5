/** Data of the server in a component: loading, loaded or failed, and fetched again on demand. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { gatewayKey, getJson } from "./client.js";

/**
 * Fetches when `path` or `query` change; a new request aborts the one before. The data of the last
 * request stay visible while the next one runs.
 * @template T
 * @param {string | null} path null fetches nothing
 * @param {Record<string, unknown>} [query]
 */
export function useResource(path, query = {}) {
  const data = useSignal(/** @type {T | null} */ (null));
  const error = useSignal(/** @type {Error | null} */ (null));
  const isLoading = useSignal(path !== null);
  const turn = useSignal(0);
  const asked = JSON.stringify([path, query, turn.value, gatewayKey.value]);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    isLoading.value = true;
    getJson(path, { query, signal: abort.signal }).then(
      (found) => {
        data.value = /** @type {T} */ (found);
        error.value = null;
        isLoading.value = false;
      },
      (problem) => {
        if (abort.signal.aborted) return;
        error.value = problem;
        isLoading.value = false;
      },
    );
    return () => abort.abort();
  }, [asked]);
  const reload = () => {
    turn.value += 1;
  };
  return { data: data.value, error: error.value, isLoading: isLoading.value, reload };
}
