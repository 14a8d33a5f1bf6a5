/** The answers of two calls, compared. */
import { useResource } from "../api/resource.js";
import { ErrorNotice, Skeleton } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { formatTime } from "../format.js";
import { html } from "../html.js";
import { FigureTable } from "./compare_figures.js";
import { DiffView } from "./diff_view.js";
import { textOf } from "./messages.js";
import { callHref, chosen, listHref } from "./state.js";

/** @typedef {import("./types.js").Details} Details */

/** @param {{first: string, second: string}} props */
export function AnswerDiff({ first, second }) {
  const a = useResource(`api/logs/${encodeURIComponent(first)}`);
  const b = useResource(`api/logs/${encodeURIComponent(second)}`);
  const error = a.error ?? b.error;
  return html`<div class="page wide-view">
    <header class="page-head"><div class="row">
      <a class="button icon plain" href=${listHref()} title="Back to the list" aria-label="Back to the list" onClick=${() => {
        chosen.value = [];
      }}><${Icon} name="left" /></a><h1>Two answers</h1></div></header>
    ${
      error
        ? html`<${ErrorNotice} error=${error} onRetry=${() => {
            a.reload();
            b.reload();
          }} />`
        : a.data && b.data
          ? html`<${Both} a=${/** @type {any} */ (a.data)} b=${/** @type {any} */ (b.data)} />`
          : html`<${Skeleton} lines=${8} height="1.5em" />`
    }
  </div>`;
}

/** @param {{a: Details, b: Details}} props */
function Both({ a, b }) {
  const texts = [a, b].map((call) =>
    call.conversation?.mode === "full" ? textOf(call.conversation.output) : null,
  );
  const names = nameApart(a, b);
  const areKept = texts[0] !== null && texts[1] !== null;
  return html`<div class="stack">
    <${FigureTable} answers=${[a, b].map((call, at) => ({ name: names[at], figures: call }))} />
    ${
      areKept
        ? html`<div class="answer-columns">
        ${[a, b].map(
          (
            call,
            at,
          ) => html`<section key=${at} class="card padded stack"><header class="row between"><h2 class="truncate">${names[at]}</h2>
          <a class="small" href=${callHref(call.call_id)}>${formatTime(call.time)}</a></header>
          <${DiffView} before=${texts[0]} after=${texts[1]} side=${at ? "after" : "before"} /></section>`,
        )}
      </div>`
        : html`<div class="notice"><${Icon} name="info" /><p>The text of ${texts[0] === null && texts[1] === null ? "neither answer" : "one answer"} is kept, so only the figures can be compared.</p></div>`
    }
  </div>`;
}

/** Names that differ. @param {Details} a @param {Details} b */
function nameApart(a, b) {
  const names = [a, b].map((call) => `${call.provider ?? ""}/${call.model ?? ""}`);
  return names[0] === names[1] ? [`${names[0]} (first)`, `${names[1]} (second)`] : names;
}
