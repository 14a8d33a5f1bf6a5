/** What the parts of the page share, and what outlives it in this browser. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { navigate, route, routeHref } from "../state/router.js";
import { keptSignal } from "../state/settings.js";

/** Panels and fields in use: while there is one, no new call moves the table. */
export const openPanels = signal(0);

/** Keeps the table as it is while `isHeld`. @param {boolean} isHeld */
export function useHold(isHeld) {
  useEffect(() => {
    if (!isHeld) return;
    openPanels.value += 1;
    return () => {
      openPanels.value -= 1;
    };
  }, [isHeld]);
}

/** Columns that the user changed: shown or hidden, by name. */
export const columnChoices = keptSignal(
  "logs.columns",
  /** @type {Record<string, boolean>} */ ({}),
);

/** @type {import("@preact/signals").Signal<{name: string, query: string}[]>} */
export const savedViews = keptSignal(
  "logs.views",
  /** @type {{name: string, query: string}[]} */ ([]),
);

/** Whether calls appear as they end. */
export const isLiveWanted = keptSignal("logs.live", true);

/** The width of the drawer in pixels. */
export const drawerWidth = keptSignal("logs.drawer", 640);

/** Calls chosen for a comparison of their answers: at most two. */
export const chosen = signal(/** @type {string[]} */ ([]));

/** @param {string} callId */
export function toggleChosen(callId) {
  const others = chosen.value.filter((one) => one !== callId);
  chosen.value = others.length === chosen.value.length ? [...others, callId].slice(-2) : others;
}

/** Changes the filters: the address says the new ones. @param {URLSearchParams} query */
export const showQuery = (query) =>
  navigate(routeHref("logs", route.value.path, query), { replace: true });

/** The address of one call beside the list. @param {string} id @param {...string} more parts behind it */
export const callHref = (id, ...more) => routeHref("logs", [id, ...more], route.value.query);

/** The address of the list alone. */
export function listHref() {
  const query = new URLSearchParams(route.value.query);
  query.delete("tab");
  return routeHref("logs", [], query);
}

/**
 * The address of the calls with one more filter; nothing else of the address stays but the time.
 * @param {Record<string, string | null>} filters
 */
export function filteredHref(filters) {
  return routeHref("logs", [], filters);
}
