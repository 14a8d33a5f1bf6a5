/**
 * The only place that talks to the gateway: JSON requests and server-sent events, with the key that
 * the user gave. Addresses are relative to the document, so that the page works below any prefix.
 */
import { signal } from "@preact/signals";

const KEY = "headway.key";

/** The gateway key of this tab; an empty string where none was given. */
export const gatewayKey = signal(sessionStorage.getItem(KEY) ?? "");

/** Whether the server has refused a request for want of a valid key. */
export const isKeyRequired = signal(false);

/** Whether the last request reached the server. */
export const isReachable = signal(true);

/** An error that the server reported, or that kept a request from reaching it (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{message?: string, type?: string, code?: string | null, param?: string | null}} error
   */
  constructor(status, error) {
    super(error.message || `The server answered with status ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.type = error.type ?? "error";
    this.param = error.param ?? null;
  }
}

/** @param {string} key */
export function setKey(key) {
  gatewayKey.value = key;
  isKeyRequired.value = false;
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

/**
 * @param {string} path without a slash in front, such as `api/usage`
 * @param {Record<string, unknown>} [query] values that are null, undefined or "" are left out; a
 *   list repeats its name
 */
export function address(path, query = {}) {
  const url = new URL(path, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "")
        url.searchParams.append(name, String(one));
    }
  }
  return url;
}

/**
 * @param {string} path
 * @param {{method?: string, query?: Record<string, unknown>, body?: unknown, signal?: AbortSignal,
 *   headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>} with a status of 2xx
 */
export async function send(path, { method, query, body, signal, headers } = {}) {
  /** @type {Record<string, string>} */
  const given = { accept: "application/json", ...headers };
  const key = gatewayKey.value;
  if (key) given.authorization = `Bearer ${key}`;
  if (body !== undefined) given["content-type"] = "application/json";
  /** @type {Response} */
  let response;
  try {
    response = await fetch(address(path, query), {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: given,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      credentials: "omit",
      cache: "no-cache",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    isReachable.value = false;
    throw new ApiError(0, { type: "unreachable", message: "The gateway cannot be reached." });
  }
  isReachable.value = true;
  if (!response.ok) throw await readError(response, key);
  return response;
}

/**
 * @template T
 * @param {string} path
 * @param {Parameters<typeof send>[1]} [options]
 * @returns {Promise<T>}
 */
export async function getJson(path, options) {
  return (await send(path, options)).json();
}

/**
 * Server-sent events, as they arrive. Ends with the stream; throws ApiError, and AbortError when
 * `signal` aborts.
 * @param {string} path
 * @param {Parameters<typeof send>[1] & {onOpen?: () => void}} options `onOpen` is called when the
 *   stream has begun, which may be long before its first event
 * @returns {AsyncGenerator<{event: string, data: string, id: string}[]>} the events of one read
 */
export async function* readEvents(path, options) {
  const headers = { accept: "text/event-stream", ...options?.headers };
  const response = await send(path, { ...options, headers });
  options?.onOpen?.();
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
      rest = parts.pop() ?? "";
      const events = parts.map(parseEvent).filter((event) => event.data !== "");
      if (events.length) yield events;
    }
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    isReachable.value = false;
    throw new ApiError(0, {
      type: "disconnected",
      message: "The connection to the gateway broke.",
    });
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} text the lines of one event */
function parseEvent(text) {
  const event = { event: "message", data: "", id: "" };
  /** @type {string[]} */
  const data = [];
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event") event.event = value;
    else if (name === "id") event.id = value;
  }
  event.data = data.join("\n");
  return event;
}

/** @param {Response} response @param {string} key with which the request was sent */
async function readError(response, key) {
  // Another key may have been given while this one was on its way.
  if (response.status === 401 && key === gatewayKey.value) isKeyRequired.value = true;
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text);
    return new ApiError(response.status, typeof error === "string" ? { message: error } : error);
  } catch {
    return new ApiError(response.status, { message: text.slice(0, 300) });
  }
}
