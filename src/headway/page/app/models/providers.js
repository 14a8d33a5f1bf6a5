/** The configured providers: whether their keys work, and how they behaved in the last day. */
import { useSignal } from "@preact/signals";
import { getJson } from "../api/client.js";
import { useResource } from "../api/resource.js";
import { Empty, ErrorNotice, Metrics, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import {
  formatCount,
  formatSeconds,
  formatShare,
  formatSpeed,
  formatUsd,
  isNumber,
} from "../format.js";
import { html } from "../html.js";
import { routeHref } from "../state/router.js";

const STATUSES = /** @type {Record<string, {text: string, state: string}>} */ ({
  ok: { text: "works", state: "good" },
  wrong_key: { text: "key refused", state: "bad" },
  no_key: { text: "no key", state: "warn" },
  unreachable: { text: "unreachable", state: "bad" },
  rate_limited: { text: "rate limited", state: "warn" },
  unknown: { text: "cannot be checked", state: "" },
});

export function Providers() {
  const { data, error, isLoading, reload } = useResource("api/providers");
  const list = /** @type {{data: any[]} | null} */ (data)?.data;
  return html`<div class="stack">
    ${error && html`<${ErrorNotice} error=${error} onRetry=${reload} />`}
    ${!list && isLoading && html`<${Skeleton} lines=${6} height="4rem" />`}
    ${list?.length === 0 && html`<${Empty} icon="key" title="No provider is configured"><p>Set a provider's key in the environment, such as <code>OPENAI_API_KEY</code>, or name it in <code>headway.yaml</code>, and start the gateway again.</p></${Empty}>`}
    <div class="provider-grid">${(list ?? []).map((one) => html`<${Provider} key=${one.name} provider=${one} />`)}</div>
    ${list && html`<p class="small quiet">A check asks the provider for its list of models, which costs nothing. Figures are of the last 24 hours, of this gateway.</p>`}
  </div>`;
}

/** @param {{provider: any}} props */
function Provider({ provider }) {
  const check = useSignal(/** @type {any} */ (null));
  const problem = useSignal(/** @type {Error | null} */ (null));
  const isChecking = useSignal(false);
  const run = async () => {
    isChecking.value = true;
    problem.value = null;
    try {
      check.value = await getJson(`api/providers/${encodeURIComponent(provider.name)}/check`, {
        method: "POST",
      });
    } catch (error) {
      problem.value = /** @type {Error} */ (error);
    }
    isChecking.value = false;
  };
  const { recent } = provider;
  const resting = provider.keys.filter((/** @type {any} */ key) => key.is_left_alone);
  return html`<section class="card padded stack provider" aria-label=${provider.name}>
    <div class="row between"><div class="truncate"><h3 class="truncate">${provider.title}</h3>
        <p class="tiny faint truncate">${provider.name}${provider.host && provider.host !== provider.name ? ` · ${provider.host}` : ""}</p></div>
      <${KeyState} provider=${provider} /></div>
    <${Metrics} compact items=${[
      { label: "Calls", value: formatCount(recent?.calls) },
      { label: "Failed", value: formatShare(recent?.error_rate) },
      {
        label: "First token p50",
        value: formatSeconds(recent?.metrics.time_to_first_token_s?.p50),
      },
      { label: "p95", value: formatSeconds(recent?.metrics.time_to_first_token_s?.p95) },
      { label: "Speed", value: formatSpeed(recent?.metrics.tokens_per_second?.p50) },
      { label: "Spend", value: formatUsd(recent?.cost_usd) },
    ]} />
    ${resting.map((/** @type {any} */ key) => html`<p key=${key.name} class="small"><span class="tag bad">left alone</span> ${key.name}, for ${formatSeconds(key.left_alone_s)} more</p>`)}
    ${provider.targets_left_alone.map((/** @type {any} */ one) => html`<p key=${one.target} class="small"><span class="tag bad">left alone</span> ${one.target}${one.left_alone_s > 0 && `, for ${formatSeconds(one.left_alone_s)} more`}</p>`)}
    ${(check.value?.keys ?? (check.value ? [check.value] : [])).map((/** @type {any} */ one, /** @type {number} */ at) => html`<${CheckResult} key=${at} result=${one} />`)}
    ${problem.value && html`<p class="small" role="alert">${problem.value.message}</p>`}
    <div class="row provider-foot">
      <button type="button" class="button compact" disabled=${isChecking.value || !provider.can_check} onClick=${run}><${Icon} name="key" />${isChecking.value ? "Checking…" : "Check the key"}</button>
      <a class="button plain compact" href=${routeHref("models", ["models"], { provider: provider.name })}>${isNumber(provider.models) ? `${formatCount(provider.models)} ${provider.models === 1 ? "model" : "models"}` : "Models"}</a>
      <a class="button plain compact" href=${routeHref("logs", [], { provider: provider.name })}>Logs</a>
    </div>
  </section>`;
}

/** @param {{provider: any}} props */
function KeyState({ provider }) {
  if (provider.is_local) return html`<span class="tag good">local</span>`;
  if (provider.breaker === "open") return html`<span class="tag bad">left alone</span>`;
  return provider.has_key
    ? html`<span class="tag good"><${Icon} name="key" />${provider.keys?.length > 1 ? `${provider.keys.length} keys` : "key"}</span>`
    : html`<span class="tag">no key</span>`;
}

/** @param {{result: any}} props */
function CheckResult({ result }) {
  const { text, state } = STATUSES[result.status] ?? { text: result.status, state: "" };
  return html`<p class="small row wrap" role="status"><span class="tag ${state}">${text}</span>
    ${result.key && html`<span class="faint">${result.key}</span>`}
    ${isNumber(result.latency_ms) && html`<span class="quiet number">${formatSeconds(result.latency_ms / 1000)}</span>`}
    ${isNumber(result.models) && html`<span class="quiet">${formatCount(result.models)} models</span>`}
    ${result.message && html`<span class="quiet">${result.message}</span>`}</p>`;
}
