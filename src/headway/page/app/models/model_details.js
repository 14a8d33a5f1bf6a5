/** One model: prices, limits, abilities, parameters, and how it behaved here. */
import { Metrics } from "../components/basics.js";
import { Dialog } from "../components/dialog.js";
import { copyText } from "../components/toasts.js";
import {
  formatCount,
  formatSeconds,
  formatShare,
  formatSpeed,
  formatUsd,
  isNumber,
} from "../format.js";
import { html } from "../html.js";
import { navigate, routeHref } from "../state/router.js";

const PRICE_NAMES = /** @type {Record<string, string>} */ ({
  input: "Input",
  output: "Output",
  cached: "Cached input",
  cache_write: "Cache write",
});

/** "web_searches" as "Web searches". @param {string} name */
const capitalize = (name) =>
  (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ").replace("Json", "JSON");

/** @param {Record<string, any> | null} prices */
function listPrices(prices) {
  const plain = Object.entries(PRICE_NAMES).map(([name, label]) => ({
    label,
    value: prices?.[name],
  }));
  const further = Object.entries(prices?.further ?? {}).map(([name, value]) => ({
    label: capitalize(name),
    value,
  }));
  return [...plain, ...further].filter(({ value }) => isNumber(value));
}

/** @param {{model: any, row: any, onClose: () => void}} props */
export function ModelDetails({ model, row, onClose }) {
  const prices = listPrices(model.prices);
  /** @param {boolean | null} value */
  const mark = (value) =>
    value === null
      ? html`<span class="tag">unknown</span>`
      : value
        ? html`<span class="tag good">yes</span>`
        : html`<span class="tag bad">no</span>`;
  return html`<${Dialog} title=${model.name ?? model.model ?? model.id} class="model-dialog" onClose=${onClose}>
    <div class="dialog-body">
      <div class="row between"><code class="truncate">${model.id}</code>
        <button type="button" class="button compact" onClick=${() => copyText(model.id, "Name")}>Copy the name</button></div>
      ${model.targets?.length > 0 && html`<section class="stack"><h3>Targets</h3><ul class="plain-list">${model.targets.map((/** @type {any} */ one) => html`<li><code>${typeof one === "string" ? one : one.target}</code></li>`)}</ul></section>`}
      <${Metrics} items=${[
        { label: "Context window", value: formatCount(model.context_window) },
        { label: "Longest answer", value: formatCount(model.max_output) },
        ...prices.map(({ label, value }) => ({
          label,
          value: formatUsd(value),
          title: "US dollars for a million tokens, or for a thousand searches",
        })),
      ]} />
      ${!prices.length && html`<p class="small quiet">No price is known: calls are recorded without a cost. Set one as <code>prices</code> in the configuration.</p>`}
      ${(model.prices?.tiers ?? []).map((/** @type {any} */ tier) => html`<p class="small quiet" key=${tier.above}>Above ${formatCount(tier.above)} input tokens: ${formatUsd(tier.input)} in, ${formatUsd(tier.output)} out.</p>`)}
      <section class="stack"><h3>Abilities</h3><div class="abilities">${Object.entries(
        model.abilities,
      ).map(
        ([name, value]) =>
          html`<span key=${name} class="row between"><span>${capitalize(name)}</span>${mark(/** @type {any} */ (value))}</span>`,
      )}</div></section>
      <section class="stack"><h3>Parameters</h3>
        <div class="table-scroll"><table class="table"><thead><tr><th>Name</th><th>Range</th><th>Default</th></tr></thead><tbody>
          ${Object.entries(model.parameters ?? {}).map(([name, one]) => html`<${Parameter} key=${name} name=${name} facts=${one} />`)}
          ${model.refuses.filter((/** @type {string} */ name) => !(name in (model.parameters ?? {}))).map((/** @type {string} */ name) => html`<tr key=${name}><td><code>${name}</code></td><td colspan="2"><span class="tag warn">refused by this model</span></td></tr>`)}
        </tbody></table></div></section>
      ${
        row &&
        html`<section class="stack"><h3>Here, in the last 24 hours</h3><${Metrics} items=${[
          { label: "Calls", value: formatCount(row.calls) },
          { label: "Failed", value: formatShare(row.failed / row.calls) },
          {
            label: "First token p50",
            value: formatSeconds(row.metrics.time_to_first_token_s?.p50),
          },
          { label: "p95", value: formatSeconds(row.metrics.time_to_first_token_s?.p95) },
          { label: "Latency p95", value: formatSeconds(row.metrics.latency_s?.p95) },
          { label: "Speed p50", value: formatSpeed(row.metrics.tokens_per_second?.p50) },
          { label: "Spend", value: formatUsd(row.cost_usd) },
        ]} /></section>`
      }
      <div class="dialog-foot">
        <button type="button" class="button" onClick=${() => navigate(routeHref("logs", [], { model: model.model ?? model.id }))}>Logs</button>
        <button type="button" class="button primary" disabled=${!model.usable || model.kind !== "chat"} onClick=${() => navigate(routeHref("playground", [], { model: model.id }))}>Open in the playground</button>
      </div>
    </div>
  </${Dialog}>`;
}

/** @param {{name: string, facts: any}} props */
function Parameter({ name, facts }) {
  const range =
    isNumber(facts.minimum) || isNumber(facts.maximum)
      ? `${facts.minimum ?? "–"} to ${facts.maximum ?? "any"}`
      : (facts.type ?? "–");
  return html`<tr><td><code>${name}</code></td><td class="number">${range}</td><td class="number">${facts.default ?? "–"}</td></tr>`;
}
