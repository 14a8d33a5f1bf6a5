/** All that is known of one call. */
import { Icon } from "../components/icon.js";
import { copyText } from "../components/toasts.js";
import { formatCount, formatSeconds, formatSpeed, formatTime, formatUsd } from "../format.js";
import { html } from "../html.js";
import { route, routeHref } from "../state/router.js";
import { ConversationTab } from "./conversation_tab.js";
import { CostTab } from "./cost_tab.js";
import { FactsTab } from "./facts_tab.js";
import { FeedbackForm } from "./feedback_form.js";
import { RawTab } from "./raw_tab.js";
import { callHref } from "./state.js";
import { StatusMark } from "./status_mark.js";
import { Tabs } from "./tabs.js";
import { TimingTab } from "./timing_tab.js";

const TABS = [
  { value: "conversation", label: "Conversation" },
  { value: "timing", label: "Timing" },
  { value: "cost", label: "Cost" },
  { value: "facts", label: "Details" },
  { value: "raw", label: "Raw" },
];

/** @param {{call: import("./types.js").Details}} props */
export function CallDetails({ call }) {
  const asked = route.value.query.get("tab") ?? "";
  const tab = TABS.some((one) => one.value === asked) ? asked : "conversation";
  return html`<${CallHead} call=${call} />
    <${Tabs} label="Parts of the call" value=${tab} options=${TABS} />
    <div class="call-drawer-body" id="call-part" role="tabpanel" aria-label=${TABS.find((one) => one.value === tab)?.label} tabindex="0">
      ${tab === "conversation" && html`<${ConversationTab} call=${call} /><${FeedbackForm} call=${call} />`}
      ${tab === "timing" && html`<${TimingTab} call=${call} />`}
      ${tab === "cost" && html`<${CostTab} call=${call} />`}
      ${tab === "facts" && html`<${FactsTab} call=${call} />`}
      ${tab === "raw" && html`<${RawTab} call=${call} />`}
    </div>`;
}

/** @param {{call: import("./types.js").Details}} props */
function CallHead({ call }) {
  const isChat = call.content === "full";
  return html`<header class="call-summary">
    <div class="row wrap">
      <h2 class="grow truncate" title=${call.deployment ?? ""}>${call.model ?? "No model"} <span class="faint call-provider">${call.provider}</span></h2>
      <${StatusMark} row=${call} />
    </div>
    <p class="small quiet number">${formatTime(call.time)}${call.user ? ` · ${call.user}` : ""}${call.stream ? " · streamed" : ""}${call.attempts > 1 ? ` · ${call.attempts} attempts` : ""}${call.cache ? ` · cache ${call.cache}` : ""}</p>
    <${KeyFigures} call=${call} />
    ${
      call.error &&
      html`<div class="notice ${call.outcome === "cancelled" ? "" : "bad"}"><${Icon} name="warn" />
      <div class="grow"><p><b>${call.error.type}</b>${call.error.code ? ` (${call.error.code})` : ""}</p><p>${call.error.message}</p></div></div>`
    }
    <div class="row wrap call-actions">
      <a class="button compact" href=${callHref(call.call_id, "replay")} aria-disabled=${isChat ? undefined : "true"}
        title=${isChat ? "Run this request again with other models" : "The messages of this call were not kept"}><${Icon} name="retry" />Replay with…</a>
      <a class="button compact" href=${routeHref("playground", [], { replay: call.call_id })} title="Open this request in the playground" aria-disabled=${isChat ? undefined : "true"}>
        <${Icon} name="chat" />Playground</a>
      <button type="button" class="button compact plain" onClick=${() => copyText(location.href, "Link")}><${Icon} name="link" />Link</button>
      <button type="button" class="button compact plain" onClick=${() => copyText(call.id, "Id")} title=${call.id}><${Icon} name="copy" />Id</button>
    </div>
  </header>`;
}

/** @param {{call: import("./types.js").Details}} props */
function KeyFigures({ call }) {
  const cached = call.cache_read_tokens
    ? `${formatCount(call.cache_read_tokens)} from the provider's cache`
    : "";
  const thought = call.reasoning_tokens ? `${formatCount(call.reasoning_tokens)} of reasoning` : "";
  const items = [
    {
      label: "Latency",
      value: formatSeconds(call.latency_s),
      title: "From the request read whole to the last byte of the answer",
    },
    {
      label: "First token",
      value: formatSeconds(call.time_to_first_token_s),
      title: "From the same start to the first event with content",
    },
    {
      label: "Speed",
      value: formatSpeed(call.tokens_per_second),
      title: "Output tokens by latency",
    },
    { label: "Input", value: formatCount(call.input_tokens), title: cached, note: cached },
    { label: "Output", value: formatCount(call.output_tokens), title: thought, note: thought },
    {
      label: "Cost",
      value: formatUsd(call.cost_usd),
      title: call.cost_usd_exact ? `$${call.cost_usd_exact}` : "Not known",
    },
  ];
  return html`<dl class="key-figures">${items.map(
    (item) => html`<div key=${item.label} class="metric" title=${item.title}>
    <dt>${item.label}</dt><dd>${item.value}</dd></div>`,
  )}</dl>`;
}
