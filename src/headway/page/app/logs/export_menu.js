/** The calls that the filters name, as a file. */
import { useSignal } from "@preact/signals";
import { address, gatewayKey } from "../api/client.js";
import { ErrorNotice } from "../components/basics.js";
import { showToast } from "../components/toasts.js";
import { formatBrief } from "../format.js";
import { html } from "../html.js";
import { BLOB_LIMIT, canWriteFiles, fileName, saveExport } from "./export.js";
import { toApiQuery } from "./filters.js";

const FORMATS = [
  { format: "csv", label: "CSV", hint: "one row a record, for spreadsheets" },
  { format: "jsonl", label: "JSON lines", hint: "every field, one record a line" },
  { format: "parquet", label: "Parquet", hint: "for DuckDB, pandas, Spark" },
];

/** @param {{query: URLSearchParams, onDone: () => void}} props */
export function ExportMenu({ query, onDone }) {
  const bytes = useSignal(-1);
  const error = useSignal(/** @type {Error | null} */ (null));
  const asked = toApiQuery(query);
  /** @param {string} format */
  const save = async (format) => {
    error.value = null;
    bytes.value = 0;
    try {
      const isSaved = await saveExport(asked, format, (size) => {
        bytes.value = size;
      });
      if (isSaved) showToast("Export saved");
      onDone();
    } catch (problem) {
      error.value = /** @type {Error} */ (problem);
    }
    bytes.value = -1;
  };
  const needsKey = gatewayKey.value !== "";
  return html`<div>
    <p class="panel-title">Export what is filtered</p>
    ${FORMATS.map(({ format, label, hint }) =>
      needsKey
        ? html`<button key=${format} type="button" class="option" disabled=${bytes.value >= 0} onClick=${() => save(format)}>
            <span class="grow">${label}</span><span class="faint tiny">${hint}</span></button>`
        : html`<a key=${format} class="option" href=${address("api/export", { ...asked, format })} download=${fileName(format)} onClick=${onDone}>
            <span class="grow">${label}</span><span class="faint tiny">${hint}</span></a>`,
    )}
    ${bytes.value >= 0 && html`<p class="panel-note" role="status">${formatBrief(bytes.value)} bytes written…</p>`}
    ${error.value && html`<${ErrorNotice} error=${error.value} />`}
    <p class="panel-note">The records of all attempts, the oldest first, without messages.${
      needsKey && !canWriteFiles()
        ? ` This browser holds the file in memory, so it ends at ${formatBrief(BLOB_LIMIT)} bytes.`
        : ""
    }</p>
  </div>`;
}
