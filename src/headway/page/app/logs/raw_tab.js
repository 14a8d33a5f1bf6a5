/** What the ledger has of a call, as JSON. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Segmented } from "../components/basics.js";
import { highlight } from "../components/code_block.js";
import { copyText } from "../components/toasts.js";
import { html } from "../html.js";

const MAX_COLOURED = 60_000;
const MAX_SHOWN = 400_000;

/** @param {{call: import("./types.js").Details}} props */
export function RawTab({ call }) {
  const part = useSignal("records");
  const value = {
    records: () => call.attempt_details.map((attempt) => attempt.record),
    messages: () => call.conversation,
    all: () => call,
  }[/** @type {"all"} */ (part.value)]();
  const text = JSON.stringify(value, null, 2);
  const options = [
    { value: "records", label: "Records" },
    { value: "messages", label: "Messages" },
    { value: "all", label: "Everything" },
  ];
  return html`<section class="stack">
    <div class="row between"><${Segmented} label="Part" value=${part.value} options=${options} onChange=${(
      /** @type {string} */ next,
    ) => {
      part.value = next;
    }} />
      <button type="button" class="button compact" onClick=${() => copyText(text, "JSON")}>Copy</button></div>
    <${Json} key=${part.value} text=${text} />
  </section>`;
}

/** @param {{text: string}} props */
function Json({ text }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}\n…` : text;
  useEffect(() => {
    if (!place.current) return;
    place.current.textContent = shown;
    if (shown.length <= MAX_COLOURED) highlight(place.current, shown, "json");
  }, [shown]);
  return html`<pre class="raw" tabindex="0"><code ref=${place} /></pre>
    ${shown !== text && html`<p class="faint tiny">The rest is in what the button copies.</p>`}`;
}
