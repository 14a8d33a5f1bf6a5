/** Short messages at the edge of the window, which go away by themselves. */
import { signal } from "@preact/signals";
import { html } from "../html.js";
import { Icon } from "./icon.js";

const SHOWN_MS = 4000;
const WITH_ACTION_MS = 8000;

/** @typedef {{label: string, run: () => void}} Action */

const toasts = signal(
  /** @type {{id: number, text: string, icon: string, action?: Action}[]} */ ([]),
);
let count = 0;

/** @param {string} text @param {string} [icon] @param {Action} [action] such as to undo */
export function showToast(text, icon = "check", action) {
  count += 1;
  const id = count;
  toasts.value = [...toasts.value, { id, text, icon, action }];
  setTimeout(() => hide(id), action ? WITH_ACTION_MS : SHOWN_MS);
}

/** @param {number} id */
function hide(id) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** @param {string} text @param {string} [what] its name in the message */
export async function copyText(text, what = "Text") {
  try {
    // Without HTTPS a browser has no clipboard but for loopback addresses.
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else if (!copySelected(text)) throw new Error("refused");
    showToast(`${what} copied`);
  } catch {
    showToast("The browser does not allow copying here", "warn");
  }
}

/** @param {string} text */
function copySelected(text) {
  const place = document.createElement("textarea");
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  place.value = text;
  place.className = "visually-hidden";
  // A modal dialog takes the focus from everything outside of it.
  (document.querySelector("dialog[open]") ?? document.body).append(place);
  place.select();
  const isCopied = document.execCommand("copy");
  place.remove();
  focused?.focus();
  return isCopied;
}

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(
      (toast) => html`<div key=${toast.id} class="toast"><${Icon} name=${toast.icon} />${toast.text}
        ${
          toast.action &&
          html`<button type="button" class="button compact" onClick=${() => {
            hide(toast.id);
            toast.action?.run();
          }}>${toast.action.label}</button>`
        }</div>`,
    )}
  </div>`;
}
