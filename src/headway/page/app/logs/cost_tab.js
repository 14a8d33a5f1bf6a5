/** What a call cost: each line, and that they add up. */
import { Icon } from "../components/icon.js";
import { formatCount } from "../format.js";
import { html } from "../html.js";
import { addExactly, isSameAmount, perMillion, plainAmount } from "./money.js";

/** @typedef {import("./types.js").Attempt} Attempt */

const CONFIDENCE = /** @type {Record<string, string>} */ ({
  reported: "by the provider's own figures",
  counted: "by tokens that the gateway counted",
  estimated: "estimated from the part that arrived",
});

/** @param {{call: import("./types.js").Details}} props */
export function CostTab({ call }) {
  const known = call.attempt_details.flatMap((attempt) => attempt.cost.usd_exact ?? []);
  const total = call.cost_usd_exact;
  const isSum = total !== null && known.length > 0 && isSameAmount(addExactly(known), total);
  return html`<section class="stack">
    ${call.attempt_details.map((attempt) => html`<${AttemptCost} key=${attempt.record.id} attempt=${attempt} isOnly=${call.attempt_details.length === 1} />`)}
    ${call.attempt_details.length > 1 && html`<p class="cost-total"><span>All attempts</span><span class="number">${total === null ? "not known" : `$${plainAmount(total)}`}</span></p>`}
    ${call.attempt_details.length > 1 && isSum && html`<${AddsUp} text="The attempts add up to the cost of the call, to the digit" />`}
    ${call.saved_usd !== null && html`<p class="small">The cache saved <b class="number">$${call.saved_usd}</b>.</p>`}
  </section>`;
}

/** @param {{attempt: Attempt, isOnly: boolean}} props */
function AttemptCost({ attempt, isOnly }) {
  const { cost } = attempt;
  return html`<div class="stack cost-attempt">
    ${!isOnly && html`<h3>${attempt.number}. ${attempt.provider} <span class="faint">${attempt.deployment ?? attempt.record.model ?? ""}</span></h3>`}
    ${
      cost.line_items.length > 0
        ? html`<${LineItems} cost=${cost} />`
        : html`<p class="quiet small">${cost.unknown_reason ? `Not known: ${cost.unknown_reason}.` : cost.usd_exact !== null ? `$${plainAmount(cost.usd_exact)}, without lines.` : "Nothing was billed that is known."}</p>`
    }
    <${Basis} cost=${cost} />
  </div>`;
}

/** @param {{cost: import("./types.js").Cost}} props */
function LineItems({ cost }) {
  const sum = addExactly(cost.line_items.map((item) => item.amount_usd));
  const isSame = cost.computed_usd_exact !== null && isSameAmount(sum, cost.computed_usd_exact);
  return html`<div class="table-scroll"><table class="table cost-table">
    <thead><tr><th>Item</th><th class="right">Quantity</th><th class="right">Price of a million</th><th class="right">Amount</th></tr></thead>
    <tbody>${cost.line_items.map(
      (
        item,
      ) => html`<tr key=${item.kind}><td>${item.kind.replaceAll("_", " ")}</td><td class="right">${formatCount(Number(item.quantity))}</td>
      <td class="right" title=${`$${item.unit_price_usd} for one`}>$${perMillion(item.unit_price_usd)}</td><td class="right">$${plainAmount(item.amount_usd)}</td></tr>`,
    )}</tbody>
    <tfoot><tr><th scope="row" colspan="3" class="cost-sum">Sum</th><td class="right cost-sum">$${sum}</td></tr></tfoot>
  </table></div>
  ${
    isSame
      ? html`<${AddsUp} text="The lines add up to the total, to the digit" />`
      : html`<p class="small is-problem"><${Icon} name="warn" /> The lines add up to $${sum}, the record has $${cost.computed_usd_exact ?? "no figure"}.</p>`
  }`;
}

/** @param {{text: string}} props */
const AddsUp = ({ text }) => html`<p class="row tiny adds-up"><${Icon} name="check" />${text}</p>`;

/** @param {{cost: import("./types.js").Cost}} props */
function Basis({ cost }) {
  const conditions = Object.entries(cost.price?.conditions ?? {});
  const facts = [
    ["Confidence", cost.confidence && `${cost.confidence}, ${CONFIDENCE[cost.confidence]}`],
    [
      "Price",
      cost.price?.source &&
        `${cost.price.source}${cost.price.date ? ` of ${cost.price.date}` : ""}`,
    ],
    ["Conditions", conditions.map(([name, value]) => `${name} ${value}`).join(", ")],
    [
      "The provider's figure",
      cost.provider_usd_exact && `$${plainAmount(cost.provider_usd_exact)}`,
    ],
    ["Difference to it", cost.difference_usd_exact && `$${plainAmount(cost.difference_usd_exact)}`],
  ].filter(([, value]) => value);
  if (!facts.length) return null;
  return html`<dl class="facts">${facts.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;
}
