/** Downloads that need the key in a header, which a link cannot send. */
import { send } from "../api/client.js";

/** The most bytes that are held in memory, where the browser cannot write to a file. */
export const BLOB_LIMIT = 250_000_000;

/** Whether the browser writes a download to the disk as it arrives. */
export const canWriteFiles = () => "showSaveFilePicker" in window;

/** @param {string} format */
export const fileName = (format) =>
  `headway-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, "-")}.${format}`;

/**
 * Saves an export. Throws ApiError, and an error where it is too large for the memory.
 * @param {Record<string, string[]>} query
 * @param {string} format
 * @param {(bytes: number) => void} onProgress
 * @returns {Promise<boolean>} false where the user chose no file
 */
export async function saveExport(query, format, onProgress) {
  const file = canWriteFiles() ? await chooseFile(format) : null;
  if (file === undefined) return false;
  const response = await send("api/export", { query: { ...query, format } });
  const body = /** @type {ReadableStream<Uint8Array>} */ (response.body).pipeThrough(
    countBytes(onProgress, file ? Number.POSITIVE_INFINITY : BLOB_LIMIT),
  );
  if (file) await body.pipeTo(await file.createWritable());
  else offer(await new Response(body).blob(), fileName(format));
  return true;
}

/** @param {string} format @returns {Promise<any>} undefined where the user chose none */
async function chooseFile(format) {
  try {
    return await /** @type {any} */ (window).showSaveFilePicker({
      suggestedName: fileName(format),
    });
  } catch {
    return undefined;
  }
}

/** @param {(bytes: number) => void} onProgress @param {number} limit */
function countBytes(onProgress, limit) {
  let size = 0;
  return new TransformStream({
    /** @param {Uint8Array} chunk @param {TransformStreamDefaultController} controller */
    transform(chunk, controller) {
      size += chunk.byteLength;
      if (size > limit)
        throw new Error(
          "The export is larger than this browser can hold. Narrow the filters, or use `headway export`.",
        );
      onProgress(size);
      controller.enqueue(chunk);
    },
  });
}

/** @param {Blob} blob @param {string} name */
function offer(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
