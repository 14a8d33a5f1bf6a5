/** Asks for the gateway's key, which is kept for this tab only and never in an address. */
import { useSignal } from "@preact/signals";
import { gatewayKey, isKeyRequired, setKey } from "./api/client.js";
import { Dialog } from "./components/dialog.js";
import { html } from "./html.js";

/** @param {{onClose: () => void}} props */
export function KeyDialog({ onClose }) {
  const typed = useSignal("");
  const wasRefused = isKeyRequired.value && gatewayKey.value !== "";
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    setKey(typed.value.trim());
    onClose();
  };
  const close = () => {
    isKeyRequired.value = false;
    onClose();
  };
  return html`<${Dialog} title="Gateway key" onClose=${close}>
    <form class="dialog-body" onSubmit=${submit}>
      <p class="quiet">This gateway asks for a key of its own. It stays in this tab until you close it.</p>
      <div class="field">
        <label for="gateway-key">Key</label>
        <input id="gateway-key" class="input mono" type="password" autocomplete="off" spellcheck=${false} required
          aria-invalid=${String(wasRefused && !typed.value)} value=${typed}
          onInput=${(/** @type {InputEvent} */ event) => {
            typed.value = /** @type {HTMLInputElement} */ (event.target).value;
          }} />
        ${wasRefused && html`<span class="problem">The gateway refused the key that you gave.</span>`}
      </div>
      <div class="dialog-foot">
        ${
          gatewayKey.value &&
          html`<button type="button" class="button plain" onClick=${() => {
            setKey("");
            onClose();
          }}>Forget the key</button>`
        }
        <button class="button primary" disabled=${!typed.value.trim()}>Use this key</button>
      </div>
    </form>
  </${Dialog}>`;
}
