/** Ids, names, parameters and changes of a call. Names lead to the calls that share them. */
import { formatCount, formatTime } from "../format.js";
import { html } from "../html.js";
import { CopyButton } from "./copy_button.js";
import { filteredHref } from "./state.js";

/** @param {{call: import("./types.js").Details}} props */
export function FactsTab({ call }) {
  const last = call.attempt_details[call.attempt_details.length - 1];
  const { record } = last;
  const parameters = Object.entries({
    ...record.parameters,
    ...readable(call.conversation?.parameters ?? {}),
  });
  return html`<section class="stack">
    <${Facts} title="Who and where" facts=${[
      ["User", call.user, link({ user: call.user })],
      ["Key", call.key, link({ key: call.key })],
      ["Session", call.session, link({ session: call.session })],
      [
        "Tags",
        call.tags.join(", "),
        call.tags.map(
          (tag) => html`<a key=${tag} class="tag" href=${filteredHref({ tag })}>${tag}</a>`,
        ),
      ],
      ["Provider", call.provider, link({ provider: call.provider })],
      ["Model asked for", call.model, link({ model: call.model })],
      ["Model that answered", call.deployment],
      ["Route", call.route_name, link({ route: call.route_name })],
      ["Copy of", call.shadow_of],
      ["Path", record.native_path ?? call.route],
      ["Wire format", call.dialect.replaceAll("_", " ")],
      ["Finish reason", call.finish_reason],
    ]} />
    <${Facts} title="Ids" facts=${[
      ["Reply", call.id, copyable(call.id)],
      ["Call", call.call_id === call.id ? null : call.call_id, copyable(call.call_id)],
      ["Request (x-request-id)", call.request_id, copyable(call.request_id)],
      ["Provider's request", record.upstream_request_id, copyable(record.upstream_request_id)],
    ]} />
    <${Facts} title="Times and sizes" facts=${[
      ["Started", formatTime(call.started)],
      ["Ended", formatTime(call.time)],
      ["Request", bytes(record.request_bytes)],
      ["Request to the provider", bytes(record.upstream_request_bytes)],
      ["Response of the provider", bytes(record.upstream_response_bytes)],
      ["Reply", bytes(record.response_bytes)],
      ["Tokens", call.tokens_source && `${call.tokens_source}`],
    ]} />
    ${parameters.length > 0 && html`<${Facts} title="Parameters" facts=${parameters.map(([name, value]) => [name, shortJson(value)])} />`}
    <div class="stack"><h3>Transformations</h3>
      ${
        call.transformations.length
          ? html`<ul class="call-changes small">${call.transformations.map((one) => html`<li key=${one}>${one}</li>`)}</ul>`
          : html`<p class="faint small">The request went to the provider with all that it asked for.</p>`
      }</div>
  </section>`;
}

/** @param {{title: string, facts: [string, unknown, unknown?][]}} props label, value, how it is shown */
function Facts({ title, facts }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (!known.length) return null;
  return html`<div class="stack"><h3>${title}</h3><dl class="facts">${known.map(([label, value, shown]) => html`<div key=${label}><dt>${label}</dt><dd>${shown ?? value}</dd></div>`)}</dl></div>`;
}

/** @param {Record<string, string | null>} filter */
const link = (filter) => html`<a href=${filteredHref(filter)}>${Object.values(filter)[0]}</a>`;

/** @param {string | null} text */
const copyable = (text) =>
  html`<span class="row copyable"><code class="truncate">${text}</code><${CopyButton} text=${text ?? ""} label="Copy" /></span>`;

/** @param {number | null} size */
const bytes = (size) => (size === null || size === undefined ? null : `${formatCount(size)} bytes`);

/** @param {unknown} value */
function shortJson(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Parameters that no other part shows. @param {Record<string, unknown>} parameters */
const readable = (parameters) =>
  Object.fromEntries(
    Object.entries(parameters).filter(
      ([name]) =>
        !["system", "instructions", "systemInstruction", "system_instruction"].includes(name),
    ),
  );
