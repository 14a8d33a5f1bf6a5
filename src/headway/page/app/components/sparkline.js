/** A trend without axes. Unknown values are left out. */
import { html } from "../html.js";

/** @param {{values: (number | null)[]}} props */
export function Sparkline({ values }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return html`<svg class="sparkline" aria-hidden="true" />`;
  const high = Math.max(...known) || 1;
  const points = known.map((value, at) => {
    const x = (at / (known.length - 1)) * 100;
    return `${x.toFixed(2)},${(29 - (value / high) * 28).toFixed(2)}`;
  });
  const line = `M${points.join("L")}`;
  return html`<svg class="sparkline" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
    <path class="area" d=${`${line}L100,30L0,30Z`} /><path d=${line} /></svg>`;
}
