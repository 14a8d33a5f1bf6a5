/** What a model thought before it answered: open while it thinks, folded afterwards. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../components/icon.js";
import { formatSeconds } from "../format.js";
import { html } from "../html.js";

/** @param {{answer: import("./turns.js").Answer, isThinking: boolean}} props */
export function ReasoningBlock({ answer, isThinking }) {
  const choice = useSignal(/** @type {boolean | null} */ (null));
  const text = useRef(/** @type {HTMLDivElement | null} */ (null));
  const isOpen = choice.value ?? isThinking;
  useEffect(() => {
    if (isThinking && text.current) text.current.scrollTop = text.current.scrollHeight;
  }, [answer.reasoning, isThinking, isOpen]);
  if (!answer.reasoning) return null;
  const time = answer.thoughtMs === null ? "" : ` for ${formatSeconds(answer.thoughtMs / 1000)}`;
  const tokens = answer.metrics?.reasoning_tokens;
  return html`<div class="thought ${isThinking ? "is-thinking" : ""}">
    <button type="button" class="button plain compact" aria-expanded=${String(isOpen)} onClick=${() => {
      choice.value = !isOpen;
    }}>
      <${Icon} name=${isOpen ? "down" : "right"} /><span class="number">${isThinking ? "Thinking" : "Thought"}${time}</span>
      ${tokens ? html`<span class="faint number">${tokens} tokens</span>` : null}
    </button>
    ${isOpen && html`<div ref=${text} class="thought-text" tabindex="0" role="region" aria-label="Reasoning">${answer.reasoning}</div>`}
  </div>`;
}
