/** Short messages at the edge of the window, which go away by themselves. */
import { signal } from "@preact/signals";
import { html } from "../html.js";
import { Icon } from "./icon.js";

const SHOWN_MS = 4000;
const toasts = signal(/** @type {{id: number, text: string, icon: string}[]} */ ([]));
let count = 0;

/** @param {string} text @param {string} [icon] */
export function showToast(text, icon = "check") {
  count += 1;
  const id = count;
  toasts.value = [...toasts.value, { id, text, icon }];
  setTimeout(() => {
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  }, SHOWN_MS);
}

/** @param {string} text @param {string} [what] its name in the message */
export async function copyText(text, what = "Text") {
  try {
    await navigator.clipboard.writeText(text);
    showToast(`${what} copied`);
  } catch {
    showToast("The browser does not allow copying here", "warn");
  }
}

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(
      (toast) =>
        html`<div key=${toast.id} class="toast"><${Icon} name=${toast.icon} />${toast.text}</div>`,
    )}
  </div>`;
}
