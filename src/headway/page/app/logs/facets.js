/** How often each value of a filter occurs among the calls that the other filters name. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getJson } from "../api/client.js";
import { filterIdentity, toApiQuery, withValues } from "./filters.js";

/** @typedef {{values: Record<string, {value: string, count: number}[]>, calls: number | null, isCut: boolean}} Facets */

/** @type {{asked: string, data: import("@preact/signals").Signal<Facets | null>}} */
const last = { asked: "", data: signal(null) };

/**
 * Counts for the values of one filter.
 * @param {URLSearchParams} query
 * @param {string} name a parameter of the API
 * @returns {Facets | null}
 */
export function useFacets(query, name) {
  const others = withValues(query, { [name]: null });
  const asked = filterIdentity(others);
  useEffect(() => {
    if (last.asked === asked && last.data.peek()) return;
    const abort = new AbortController();
    last.data.value = null;
    last.asked = asked;
    getJson("api/logs/facets", { query: toApiQuery(others), signal: abort.signal }).then(
      (found) => {
        last.data.value = readFacets(found);
      },
      () => {
        if (!abort.signal.aborted) last.data.value = { values: {}, calls: null, isCut: false };
      },
    );
    return () => abort.abort();
  }, [asked]);
  return last.data.value;
}

/** @param {any} found @returns {Facets} */
function readFacets(found) {
  const values = Object.entries(found.facets).map(([name, facet]) => [
    name,
    facet.top.filter((/** @type {{value: string | null}} */ one) => one.value), // no filter means "none"
  ]);
  return { values: Object.fromEntries(values), calls: found.of, isCut: !found.is_all };
}
