/**
 * The address: everything behind `#` says what is shown, so that a link reproduces it and nothing
 * of it is sent to a server. `#/logs/ID?provider=openai&tag=a&tag=b`
 */
import { signal } from "@preact/signals";

/** @typedef {{page: string, path: string[], query: URLSearchParams}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page, ...rest] = path.split("/").map(safeDecode);
  return { page: page || "playground", path: rest, query: new URLSearchParams(query ?? "") };
}

/** @param {string} text */
function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * @param {string} page
 * @param {string[]} [path]
 * @param {Record<string, unknown> | URLSearchParams} [query] null, undefined, "" and [] are left out
 */
export function routeHref(page, path = [], query = {}) {
  const search = query instanceof URLSearchParams ? query : toQuery(query);
  const text = search.toString();
  return `#/${[page, ...path].map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** @param {Record<string, unknown>} values */
function toQuery(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") query.append(name, String(one));
    }
  }
  return query;
}

/** What is shown now. */
export const route = signal(parseRoute(location.hash));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/**
 * Goes to `href`. With `replace`, the page before is not kept in the history.
 * @param {string} href
 * @param {{replace?: boolean}} [options]
 */
export function navigate(href, { replace = false } = {}) {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  route.value = parseRoute(location.hash);
}

/**
 * Replaces parameters of the address, and keeps the others. Null, "" and [] take a parameter away.
 * @param {Record<string, string | string[] | null>} changes
 */
export function changeQuery(changes) {
  const { page, path, query } = route.peek();
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    changed.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one) changed.append(name, one);
  }
  navigate(routeHref(page, path, changed), { replace: true });
}
