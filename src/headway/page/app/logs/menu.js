/** A button with a panel below it. */
import { useSignal } from "@preact/signals";
import { Popover } from "../components/dialog.js";
import { Icon } from "../components/icon.js";
import { html } from "../html.js";
import { useHold } from "./state.js";

/**
 * @param {{label: string, icon?: string, text?: unknown, class?: string, panel?: string,
 *   title?: string, children: (close: () => void) => unknown}} props `label` is read aloud, `text`
 *   is shown
 */
export function MenuButton({ label, icon, text, class: more = "", panel = "", title, children }) {
  const isOpen = useSignal(false);
  useHold(isOpen.value);
  const close = () => {
    isOpen.value = false;
  };
  const button = html`<button type="button" class="button compact ${more}" aria-haspopup="dialog" title=${title ?? label}
    aria-expanded=${String(isOpen.value)} aria-label=${label}
    onClick=${() => {
      isOpen.value = !isOpen.value;
    }}>${icon && html`<${Icon} name=${icon} />`}${text}</button>`;
  return html`<${Popover} button=${button} isOpen=${isOpen.value} onClose=${close} class=${panel}>
    ${isOpen.value && children(close)}
  </${Popover}>`;
}
