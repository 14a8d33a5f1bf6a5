/** What would happen to a request: `POST /api/explain`. Nothing is sent to a provider. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getJson } from "../api/client.js";
import { ErrorNotice, Metrics } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { ModelPicker } from "../components/model_picker.js";
import { formatCount, formatSeconds, formatUsd } from "../format.js";
import { html } from "../html.js";
import { models } from "../state/models.js";
import { navigate, route, routeHref } from "../state/router.js";

/** @param {string} model */
const template = (model) =>
  JSON.stringify({ model, messages: [{ role: "user", content: "Hello! Who are you?" }] }, null, 2);

export function Explain() {
  const named = route.value.query.get("model");
  const model = named ?? models.value[0]?.id ?? "";
  const text = useSignal(template(model));
  const headers = useSignal("");
  const answer = useSignal(/** @type {any} */ (null));
  const problem = useSignal(/** @type {Error | null} */ (null));
  /** @param {SubmitEvent} [event] */
  const run = async (event) => {
    event?.preventDefault();
    problem.value = null;
    try {
      const body = JSON.parse(text.value);
      answer.value = await getJson("api/explain", {
        body: { body, headers: readHeaders(headers.value) },
      });
    } catch (error) {
      answer.value = null;
      problem.value =
        error instanceof SyntaxError
          ? new Error(`The request is not JSON: ${error.message}`)
          : /** @type {Error} */ (error);
    }
  };
  useEffect(() => {
    try {
      text.value = JSON.stringify({ ...JSON.parse(text.value), model }, null, 2);
    } catch {
      text.value = template(model);
    }
    if (model) run();
  }, [model]);
  return html`<div class="explain">
    <form class="card padded stack" onSubmit=${run}>
      <div class="row between"><h2>Request</h2>
        <${ModelPicker} selected=${[model]} label="Model" class="compact"
          onPick=${(/** @type {string} */ id) => navigate(routeHref("models", ["explain"], { model: id }), { replace: true })} /></div>
      <div class="field"><label for="explain-body"><span>Body, in the format of <code>/v1/chat/completions</code></span></label>
        <textarea id="explain-body" class="textarea mono" rows="14" spellcheck=${false} value=${text}
          onInput=${(/** @type {any} */ event) => {
            text.value = event.target.value;
          }} /></div>
      <div class="field"><label for="explain-headers">Headers that the route reads</label>
        <textarea id="explain-headers" class="textarea mono" rows="2" spellcheck=${false} placeholder="x-headway-tags: vip" value=${headers}
          onInput=${(/** @type {any} */ event) => {
            headers.value = event.target.value;
          }} /></div>
      <div class="row"><button class="button primary">Explain</button><span class="small quiet">Nothing is sent to a provider.</span></div>
    </form>
    <div class="stack">
      ${problem.value && html`<${ErrorNotice} error=${problem.value} />`}
      ${!answer.value && !problem.value && html`<p class="quiet small explain-hint">The targets that this request could go to appear here, in the order in which they would be tried, with the reason for each.</p>`}
      ${answer.value && html`<${Answer} answer=${answer.value} />`}
    </div>
  </div>`;
}

/** "name: value" a line. @param {string} text @returns {Record<string, string>} */
function readHeaders(text) {
  const lines = text.split("\n").map((line) => line.split(/:(.*)/s));
  return Object.fromEntries(
    lines
      .filter(([name, value]) => name.trim() && value)
      .map(([name, value]) => [name.trim().toLowerCase(), value.trim()]),
  );
}

/** @param {{answer: any}} props */
function Answer({ answer }) {
  const { request } = answer;
  return html`
    <section class="card padded stack"><div class="row between"><h2>${answer.route ? `Route ${answer.route}` : answer.model}</h2><span class="tag">${answer.why}</span></div>
      ${answer.refusal && html`<div class="notice bad" role="alert"><${Icon} name="warn" /><p>${answer.refusal}</p></div>`}
      <${Metrics} compact items=${[
        {
          label: "Input tokens",
          value: `${formatCount(request.input_tokens)} ${request.input_tokens_source ?? ""}`,
        },
        { label: "Needs", value: request.needs.join(", ") || "nothing special" },
        { label: "Cache", value: answer.cache ?? "not kept" },
        { label: "Attempts at most", value: formatCount(answer.rules?.max_attempts) },
      ]} /></section>
    ${answer.targets.map((/** @type {any} */ one) => html`<${Target} key=${`${one.role} ${one.target}`} target=${one} />`)}`;
}

/** @param {{target: any}} props */
function Target({ target }) {
  return html`<section class="card padded explain-target ${target.skipped ? "is-skipped" : ""}">
    <span class="explain-place">${target.place ?? "–"}</span>
    <div class="stack grow">
      <div class="row between"><code class="truncate">${target.target}</code><span class="number">${formatUsd(target.price?.estimated_usd)}</span></div>
      ${target.skipped && html`<p class="small">Skipped: ${target.skipped}.</p>`}
      ${target.role !== "target" && html`<p class="small quiet">Only ${target.role.replaceAll("_", " ")}.</p>`}
      <${Metrics} compact items=${[
        { label: "State", value: target.state?.breaker ?? "–" },
        { label: "Context", value: formatCount(target.context_window) },
        { label: "Output, assumed", value: `${formatCount(target.price?.output_tokens)}` },
        { label: "First token", value: formatSeconds(target.state?.time_to_first_token_s) },
        ...(target.condition ? [{ label: "Condition", value: target.condition }] : []),
      ]} />
      ${target.transformations.length > 0 && html`<ul class="small quiet plain-list">${target.transformations.map((/** @type {string} */ one) => html`<li key=${one}>${one}</li>`)}</ul>`}
    </div>
  </section>`;
}
