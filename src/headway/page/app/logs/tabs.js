/** Tabs whose choice is in the address. Arrow keys move. */
import { html } from "../html.js";
import { navigate, route, routeHref } from "../state/router.js";

/** @param {{label: string, value: string, options: {value: string, label: string}[]}} props */
export function Tabs({ label, value, options }) {
  /** @param {KeyboardEvent} event */
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = options.findIndex((option) => option.value === value);
    const next = (at + step + options.length) % options.length;
    showTab(options[next].value);
    /** @type {HTMLElement} */ (
      /** @type {HTMLElement} */ (event.currentTarget).children[next]
    ).focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
    ${options.map(
      (
        option,
      ) => html`<button key=${option.value} type="button" role="tab" aria-selected=${String(option.value === value)}
      aria-controls="call-part" tabindex=${option.value === value ? 0 : -1} onClick=${() => showTab(option.value)}>${option.label}</button>`,
    )}
  </div>`;
}

/** Shows another part of the call. @param {string} tab */
function showTab(tab) {
  const query = new URLSearchParams(route.value.query);
  query.set("tab", tab);
  navigate(routeHref("logs", route.value.path, query), { replace: true });
}
