/** The figures of several answers beside each other, with the difference to the first. */
import { formatCount, formatSeconds, formatSpeed, formatUsd, isNumber } from "../format.js";
import { html } from "../html.js";

/** @type {{name: string, label: string, format: (value: number | null | undefined) => string, isLowBetter: boolean | null}[]} */
const FIGURES = [
  { name: "latency_s", label: "Latency", format: formatSeconds, isLowBetter: true },
  { name: "time_to_first_token_s", label: "First token", format: formatSeconds, isLowBetter: true },
  { name: "tokens_per_second", label: "Speed", format: formatSpeed, isLowBetter: false },
  { name: "input_tokens", label: "Input", format: formatCount, isLowBetter: null },
  { name: "output_tokens", label: "Output", format: formatCount, isLowBetter: null },
  { name: "cost_usd", label: "Cost", format: formatUsd, isLowBetter: true },
];

/**
 * @param {{answers: {name: string, figures: Record<string, any> | null}[]}} props the first is what
 *   the others are compared with
 */
export function FigureTable({ answers }) {
  const [base] = answers;
  return html`<div class="table-scroll"><table class="table figure-table">
    <thead><tr><th></th>${answers.map((answer, at) => html`<th key=${at} class="right">${answer.name}</th>`)}</tr></thead>
    <tbody>${FIGURES.map(
      (figure) => html`<tr key=${figure.name}><th scope="row">${figure.label}</th>
      ${answers.map(
        (
          answer,
          at,
        ) => html`<td key=${at} class="right">${figure.format(answer.figures?.[figure.name])}
        ${at > 0 && html`<${Change} from=${base.figures?.[figure.name]} to=${answer.figures?.[figure.name]} isLowBetter=${figure.isLowBetter} />`}</td>`,
      )}</tr>`,
    )}</tbody>
  </table></div>`;
}

/** A difference below this says nothing. */
const NOISE = 0.01;

/** @param {{from: number | null | undefined, to: number | null | undefined, isLowBetter: boolean | null}} props */
function Change({ from, to, isLowBetter }) {
  if (!isNumber(from) || !isNumber(to) || !from) return null;
  const share = to / from - 1;
  if (Math.abs(share) < NOISE) return null;
  const isBetter = isLowBetter === null ? null : share < 0 === isLowBetter;
  const text =
    share > 9
      ? `×${(share + 1).toFixed(0)}`
      : `${share > 0 ? "+" : "−"}${Math.abs(share * 100).toFixed(Math.abs(share) < 0.1 ? 1 : 0)}%`;
  return html`<span class="change ${isBetter === null ? "" : isBetter ? "is-better" : "is-worse"}">${text}</span>`;
}
