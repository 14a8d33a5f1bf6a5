/** The request as code in several languages. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { address } from "../api/client.js";
import { Segmented } from "../components/basics.js";
import { highlight } from "../components/code_block.js";
import { Dialog } from "../components/dialog.js";
import { Icon } from "../components/icon.js";
import { copyText } from "../components/toasts.js";
import { html } from "../html.js";
import { keptSignal } from "../state/settings.js";
import { draft, model, path, settings } from "./conversation.js";
import { buildBody } from "./request.js";
import { KEY_VARIABLE, SNIPPETS, shortenImages } from "./snippets.js";
import { makeTurn } from "./turns.js";

const language = keptSignal("playground.language", "curl");

/** @param {{onClose: () => void}} props */
export function CopyAs({ onClose }) {
  const snippet = SNIPPETS.find((one) => one.id === language.value) ?? SNIPPETS[0];
  const code = snippet.make(currentBody(), address(".").href.replace(/\/$/, ""));
  const shown = shortenImages(code);
  return html`<${Dialog} title="This request as code" class="wide" onClose=${onClose}>
    <div class="dialog-body copy-as">
      <${Segmented} label="Language" value=${snippet.id} options=${SNIPPETS.map(({ id, label }) => ({ value: id, label }))}
        onChange=${(/** @type {string} */ id) => {
          language.value = id;
        }} />
      <${Code} text=${shown} language=${snippet.language} />
      <div class="row between wrap">
        <p class="tiny faint grow">The key is read from the variable <code>${KEY_VARIABLE}</code>; a gateway without keys of its own needs none.
          ${shown !== code && " Pictures are shortened here and whole in the copy."}</p>
        <button type="button" class="button primary" onClick=${() => copyText(code, "Code")}><${Icon} name="copy" />Copy</button>
      </div>
    </div>
  </${Dialog}>`;
}

/** What would be sent now: with the draft, else up to the last prompt. */
function currentBody() {
  const { text, images } = draft.value;
  const turns = path.value;
  const last = turns.findLastIndex((turn) => turn.role !== "assistant");
  const isDrafted = text.trim() !== "" || images.length > 0 || last < 0;
  const asked = isDrafted
    ? [...turns, makeTurn({ role: "user", text: text || "Hello!", images })]
    : turns.slice(0, last + 1);
  return buildBody(settings.value, asked, model.value);
}

/** @param {{text: string, language: string}} props */
function Code({ text, language }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  const known = useSignal("");
  useEffect(() => {
    if (!ref.current || known.peek() === text) return;
    known.value = text;
    ref.current.textContent = text;
    highlight(ref.current, text, language);
  }, [text, language]);
  return html`<pre class="code-view" tabindex="0" role="region" aria-label="Code"><code ref=${ref} /></pre>`;
}
