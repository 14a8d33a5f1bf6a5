/** What can be done with an answer. */
import { IconButton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { ModelPicker } from "../components/model_picker.js";
import { copyText } from "../components/toasts.js";
import { html } from "../html.js";
import { routeHref } from "../state/router.js";
import { Alternatives } from "./alternatives.js";
import { deleteTurn, rate, retry } from "./conversation.js";

/** @param {{turn: import("./turns.js").Turn, answer: import("./turns.js").Answer, isLast: boolean}} props */
export function AnswerActions({ turn, answer, isLast }) {
  return html`<div class="turn-actions ${isLast ? "is-shown" : ""}">
    <${Alternatives} turn=${turn} />
    ${answer.text && html`<${IconButton} icon="copy" label="Copy as Markdown" class="plain compact" onClick=${() => copyText(answer.text, "Answer")} />`}
    <${IconButton} icon="retry" label="Answer again" class="plain compact" onClick=${() => retry(turn.id)} />
    <${ModelPicker} label="Answer with another model" class="plain compact icon" selected=${turn.model ? [turn.model] : []}
      onPick=${(/** @type {string} */ id) => retry(turn.id, id)}><${Icon} name="models" /></${ModelPicker}>
    ${answer.id && html`<${Rating} turn=${turn} score=${answer.score} />`}
    <${IconButton} icon="trash" label="Delete from here" class="plain compact" onClick=${() => deleteTurn(turn.id)} />
    ${answer.id && html`<a class="button plain compact record-link" href=${routeHref("logs", [answer.id])} title="The record of this call" aria-label="Record"><${Icon} name="logs" /><span class="wide-only">Record</span></a>`}
  </div>`;
}

/** @param {{turn: import("./turns.js").Turn, score: number | null}} props */
function Rating({ turn, score }) {
  return html`<${IconButton} icon="thumbUp" label="Good answer" class="plain compact" pressed=${score === 1} onClick=${() => rate(turn.id, 1)} />
    <${IconButton} icon="thumbDown" label="Bad answer" class="plain compact" pressed=${score === 0} onClick=${() => rate(turn.id, 0)} />`;
}
