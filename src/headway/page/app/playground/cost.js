/** What an answer cost, with the lines of its bill. */
import { useSignal } from "@preact/signals";
import { Popover } from "../components/dialog.js";
import { formatCount, formatUsd } from "../format.js";
import { html } from "../html.js";

/** @param {{answer: import("./turns.js").Answer}} props */
export function Cost({ answer }) {
  const isOpen = useSignal(false);
  const { cost, metrics } = answer;
  const total = metrics?.cost_usd ?? cost?.usd ?? null;
  const text = formatUsd(total);
  const why = metrics?.cost_unknown_reason ?? cost?.unknown_reason;
  if (!cost?.line_items?.length)
    return html`<span title=${total === null ? `Unknown: ${why ?? "no price"}` : undefined}>${text}</span>`;
  const button = html`<button type="button" class="bill-button" aria-expanded=${String(isOpen.value)} title="The lines of the bill"
    onClick=${() => {
      isOpen.value = !isOpen.value;
    }}>${text}</button>`;
  return html`<${Popover} button=${button} isOpen=${isOpen.value} onClose=${() => {
    isOpen.value = false;
  }} class="bill right">
    <table class="table">
      <thead><tr><th>Item</th><th class="right">Quantity</th><th class="right">Per million</th><th class="right">Amount</th></tr></thead>
      <tbody>
        ${cost.line_items.map(
          (
            /** @type {any} */ line,
            /** @type {number} */ at,
          ) => html`<tr key=${at}><td>${line.kind.replaceAll("_", " ")}</td>
            <td class="right">${formatCount(Number(line.quantity))}</td>
            <td class="right">${formatUsd(Number(line.unit_price_usd) * 1e6)}</td>
            <td class="right" title=${`$${line.amount_usd}`}>${formatUsd(Number(line.amount_usd))}</td></tr>`,
        )}
        <tr class="total"><td colspan="3">Total</td><td class="right">${cost.usd_exact ? `$${cost.usd_exact}` : text}</td></tr>
      </tbody>
    </table>
    <p class="tiny faint bill-note">${describeSource(cost)}</p>
  </${Popover}>`;
}

/** @param {any} cost */
function describeSource(cost) {
  const { source, date } = cost.price ?? {};
  const price = source ? `Price: ${source}${date ? `, ${date}` : ""}. ` : "";
  const tokens =
    cost.confidence && cost.confidence !== "reported" ? `Tokens ${cost.confidence}. ` : "";
  const own = cost.provider_usd_exact
    ? `The provider's own figure is $${cost.provider_usd_exact}.`
    : "";
  return `${price}${tokens}${own}`;
}
