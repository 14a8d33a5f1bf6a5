/** A modal dialog on the browser's own element: it keeps the focus inside and closes by Escape. */
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { IconButton } from "./basics.js";

/**
 * @param {{title: string, onClose: () => void, children?: unknown, class?: string,
 *   hasHead?: boolean}} props
 */
export function Dialog({ title, onClose, children, class: more = "", hasHead = true }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  /** @param {MouseEvent} event */
  const closeOutside = (event) => {
    if (event.target === ref.current) onClose();
  };
  return html`<dialog ref=${ref} class="dialog ${more}" aria-label=${title} onClick=${closeOutside}
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      onClose();
    }}>
    ${
      hasHead &&
      html`<div class="card-head"><h2>${title}</h2>
      <${IconButton} icon="close" label="Close" onClick=${onClose} /></div>`
    }
    ${children}
  </dialog>`;
}

/**
 * A panel that opens below its button. Closes by Escape and by a click elsewhere.
 * @param {{button: unknown, isOpen: boolean, onClose: () => void, children?: unknown,
 *   class?: string}} props
 */
export function Popover({ button, isOpen, onClose, children, class: more = "" }) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    if (!isOpen) return;
    /** @param {PointerEvent} event */
    const onPointer = (event) => {
      if (!ref.current?.contains(/** @type {Node} */ (event.target))) onClose();
    };
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      onClose();
      /** @type {HTMLElement | null | undefined} */ (ref.current?.querySelector("button"))?.focus();
    };
    addEventListener("pointerdown", onPointer);
    addEventListener("keydown", onKey, true);
    return () => {
      removeEventListener("pointerdown", onPointer);
      removeEventListener("keydown", onKey, true);
    };
  }, [isOpen, onClose]);
  return html`<div class="popover-anchor" ref=${ref}>${button}
    ${isOpen && html`<div class="popover ${more}">${children}</div>`}</div>`;
}
