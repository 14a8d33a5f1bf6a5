/** Small parts that every page uses: buttons, notices, empty and loading states, choices. */
import { html } from "../html.js";
import { Icon } from "./icon.js";

/**
 * @param {{icon: string, label: string, onClick?: (event: MouseEvent) => void, class?: string,
 *   disabled?: boolean, pressed?: boolean, [more: string]: unknown}} props
 */
export function IconButton({ icon, label, class: more = "plain", pressed, ...rest }) {
  return html`<button type="button" class="button icon ${more}" title=${label} aria-label=${label}
    aria-pressed=${pressed} ...${rest}><${Icon} name=${icon} /></button>`;
}

/**
 * One of a few values, as a row of buttons. Arrow keys move.
 * @template {string} T
 * @param {{label: string, value: T, options: {value: T, label: unknown, title?: string}[],
 *   onChange: (value: T) => void}} props
 */
export function Segmented({ label, value, options, onChange }) {
  /** @param {KeyboardEvent} event */
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = options.findIndex((option) => option.value === value);
    const next = (at + step + options.length) % options.length;
    onChange(options[next].value);
    const group = /** @type {HTMLElement} */ (event.currentTarget);
    /** @type {HTMLElement} */ (group.children[next]).focus();
  };
  return html`<div class="segmented" role="radiogroup" aria-label=${label} onKeyDown=${move}>
    ${options.map(
      (option) => html`<button key=${option.value} type="button" role="radio" title=${option.title}
        aria-checked=${String(option.value === value)} tabindex=${option.value === value ? 0 : -1}
        onClick=${() => onChange(option.value)}>${option.label}</button>`,
    )}
  </div>`;
}

/** @param {{error: Error, onRetry?: () => void}} props */
export function ErrorNotice({ error, onRetry }) {
  return html`<div class="notice bad" role="alert">
    <${Icon} name="warn" />
    <div class="grow"><p>${error.message}</p></div>
    ${onRetry && html`<button type="button" class="button compact" onClick=${onRetry}>Try again</button>`}
  </div>`;
}

/** @param {{icon: string, title: string, children?: unknown}} props */
export function Empty({ icon, title, children }) {
  return html`<div class="empty"><${Icon} name=${icon} /><h2>${title}</h2>${children}</div>`;
}

/** Lines that stand where text will be. @param {{lines?: number, height?: string}} props */
export function Skeleton({ lines = 3, height = "1em" }) {
  const rows = Array.from({ length: lines }, (_, at) => at);
  return html`<div class="stack" role="status" aria-busy="true" aria-label="Loading">
    ${rows.map((at) => html`<div key=${at} class="skeleton" style=${{ height, width: `${100 - (at % 3) * 12}%` }} />`)}
  </div>`;
}

/**
 * Figures with their names. @param {{items: {label: string, value: unknown, title?: string}[],
 *   compact?: boolean}} props
 */
export function Metrics({ items, compact = false }) {
  return html`<dl class="metrics ${compact ? "compact" : ""}">
    ${items.map(
      (item) => html`<div key=${item.label} class="metric" title=${item.title}>
        <dt>${item.label}</dt><dd>${item.value}</dd></div>`,
    )}
  </dl>`;
}
