/** Pictures for a prompt: read from files, made smaller where they are large, as data URLs. */

/** Longest edge in pixels, and size in bytes, above which a picture is made smaller. */
export const MAX_EDGE = 2048;
export const MAX_BYTES = 3_000_000;
export const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const QUALITY = 0.88;

/**
 * @param {Blob} file
 * @returns {Promise<{url: string, isSmaller: boolean}>} throws for what is no picture
 */
export async function readImage(file) {
  if (!file.type.startsWith("image/")) throw new Error("This is no picture.");
  const bitmap = await decode(file);
  const scale = Math.min(1, MAX_EDGE / Math.max(bitmap.width, bitmap.height));
  const isKept = scale === 1 && file.size <= MAX_BYTES && TYPES.includes(file.type);
  const url = isKept ? await readUrl(file) : draw(bitmap, scale, file);
  bitmap.close();
  return { url, isSmaller: scale < 1 || file.size > MAX_BYTES };
}

/** @param {Blob} file */
async function decode(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new Error("The browser cannot read this picture.");
  }
}

/** @param {ImageBitmap} bitmap @param {number} scale @param {Blob} file */
function draw(bitmap, scale, file) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // JPEG has no transparency: what may have it stays PNG, unless that is large.
  const png = file.type === "image/jpeg" ? "" : canvas.toDataURL("image/png");
  return png && png.length <= MAX_BYTES ? png : canvas.toDataURL("image/jpeg", QUALITY);
}

/** @param {Blob} file @returns {Promise<string>} */
function readUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.onerror = () => reject(new Error("The file cannot be read."));
    reader.readAsDataURL(file);
  });
}

/** The picture files of a paste or a drop. @param {DataTransfer | null} data */
export const imageFiles = (data) =>
  [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/"));
