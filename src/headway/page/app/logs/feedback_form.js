/** What people said of an answer, and a form to say more. */
import { useSignal } from "@preact/signals";
import { getJson } from "../api/client.js";
import { ErrorNotice, IconButton } from "../components/basics.js";
import { showToast } from "../components/toasts.js";
import { formatTime } from "../format.js";
import { html } from "../html.js";

/** @typedef {import("./types.js").Feedback} Feedback */

/** @param {{call: import("./types.js").Details}} props */
export function FeedbackForm({ call }) {
  /** What was said here: the ledger may store it a moment later. */
  const said = useSignal(/** @type {Feedback[]} */ ([]));
  const isOpen = useSignal(false);
  const error = useSignal(/** @type {Error | null} */ (null));
  const isSending = useSignal(false);
  const score = useSignal("");
  const label = useSignal("");
  const comment = useSignal("");
  /** @param {Partial<Feedback>} body */
  const send = async (body) => {
    isSending.value = true;
    error.value = null;
    try {
      const { id, time } = await getJson("api/feedback", { body: { id: call.call_id, ...body } });
      const empty = { key: null, score: null, label: null, comment: null };
      said.value = [...said.value, { ...empty, ...body, id, time }];
      showToast("Feedback kept");
      score.value = label.value = comment.value = "";
      isOpen.value = false;
    } catch (problem) {
      error.value = /** @type {Error} */ (problem);
    }
    isSending.value = false;
  };
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    send({
      score: score.value === "" ? null : Number(score.value),
      label: label.value.trim() || null,
      comment: comment.value.trim() || null,
    });
  };
  /** @param {import("@preact/signals").Signal<string>} value */
  const take = (value) => (/** @type {InputEvent} */ event) => {
    value.value = /** @type {HTMLInputElement} */ (event.target).value;
  };
  const isEmpty = !score.value && !label.value.trim() && !comment.value.trim();
  return html`<section class="stack feedback" aria-label="Feedback">
    <div class="row between"><h3>Feedback</h3><div class="row">
      <${IconButton} icon="thumbUp" label="Good answer" class="compact" disabled=${isSending.value} onClick=${() => send({ score: 1 })} />
      <${IconButton} icon="thumbDown" label="Bad answer" class="compact" disabled=${isSending.value} onClick=${() => send({ score: 0 })} />
      <button type="button" class="button compact plain" aria-expanded=${String(isOpen.value)} onClick=${() => {
        isOpen.value = !isOpen.value;
      }}>Say more</button></div></div>
    ${[...call.feedback, ...said.value].map((one) => html`<${Given} key=${one.id} feedback=${one} />`)}
    ${
      isOpen.value &&
      html`<form class="stack" onSubmit=${submit}>
      <div class="row">
        <div class="field grow"><label for="feedback-score">Score</label><input id="feedback-score" class="input number" type="number" step="any" placeholder="any scale" value=${score} onInput=${take(score)} /></div>
        <div class="field grow"><label for="feedback-label">Label</label><input id="feedback-label" class="input" maxlength="200" placeholder="a word" value=${label} onInput=${take(label)} /></div>
      </div>
      <div class="field"><label for="feedback-comment">Comment</label><textarea id="feedback-comment" class="textarea" rows="3" maxlength="10000" value=${comment} onInput=${take(comment)} /></div>
      <div class="row"><button class="button compact primary" disabled=${isEmpty || isSending.value}>Keep</button></div>
    </form>`
    }
    ${error.value && html`<${ErrorNotice} error=${error.value} />`}
  </section>`;
}

/** @param {{feedback: Feedback}} props */
function Given({ feedback }) {
  return html`<p class="given small"><span class="row">
    ${feedback.score !== null && html`<span class="tag ${feedback.score > 0 ? "good" : "bad"} number">${feedback.score}</span>`}
    ${feedback.label && html`<span class="tag">${feedback.label}</span>`}
    <span class="faint tiny number">${formatTime(feedback.time)}${feedback.key ? ` · ${feedback.key}` : ""}</span></span>
    ${feedback.comment && html`<span class="message-text">${feedback.comment}</span>`}</p>`;
}
