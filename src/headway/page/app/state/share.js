/** State in a link: JSON, compressed, in base64url. */

/** @param {unknown} value @returns {Promise<string>} */
export async function encodeState(value) {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const packed = await pass(bytes, new CompressionStream("deflate-raw"));
  let text = "";
  for (let at = 0; at < packed.length; at += 8192) {
    text += String.fromCharCode(...packed.subarray(at, at + 8192));
  }
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text @returns {Promise<unknown>} throws if `text` is not of `encodeState` */
export async function decodeState(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  const plain = await pass(bytes, new DecompressionStream("deflate-raw"));
  return JSON.parse(new TextDecoder().decode(plain));
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {GenericTransformStream} through */
async function pass(bytes, through) {
  const stream = new Blob([bytes]).stream().pipeThrough(/** @type {any} */ (through));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
