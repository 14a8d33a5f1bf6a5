/** A modal dialog on the browser's own element: it keeps the focus inside and closes by Escape. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
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
 * A panel that opens below its button, or above it where there is more room, in the top layer: no
 * scrolling region cuts it off. Closes by Escape and by a click elsewhere.
 * @param {{button: unknown, isOpen: boolean, onClose: () => void, children?: unknown,
 *   class?: string}} props with the class `right` it ends where its button ends
 */
export function Popover({ button, isOpen, onClose, children, class: more = "" }) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const panel = useRef(/** @type {HTMLDivElement | null} */ (null));
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
  useLayoutEffect(() => {
    const [anchor, shown] = [ref.current, panel.current];
    if (!isOpen || !anchor || !shown) return;
    shown.showPopover();
    const place = () => placePanel(anchor.getBoundingClientRect(), shown);
    place();
    const observer = new ResizeObserver(place);
    observer.observe(shown);
    addEventListener("resize", place);
    addEventListener("scroll", place, true);
    return () => {
      observer.disconnect();
      removeEventListener("resize", place);
      removeEventListener("scroll", place, true);
    };
  }, [isOpen]);
  return html`<div class="popover-anchor" ref=${ref}>${button}
    ${isOpen && html`<div ref=${panel} popover="manual" class="popover ${more}">${children}</div>`}</div>`;
}

const GAP = 4;
const EDGE = 8;

/** @param {DOMRect} anchor @param {HTMLElement} panel */
function placePanel(anchor, panel) {
  const { offsetWidth: width, offsetHeight: height } = panel;
  const [below, above] = [innerHeight - anchor.bottom, anchor.top];
  const prefersAbove = panel.classList.contains("up");
  const isAbove = prefersAbove
    ? above > height + EDGE || above > below
    : below < height + EDGE && above > below;
  const left = panel.classList.contains("right") ? anchor.right - width : anchor.left;
  const top = isAbove ? anchor.top - GAP - height : anchor.bottom + GAP;
  panel.style.minWidth = `${Math.min(anchor.width, innerWidth - 2 * EDGE)}px`;
  panel.style.left = `${Math.max(EDGE, Math.min(left, innerWidth - width - EDGE))}px`;
  panel.style.top = `${Math.max(EDGE, Math.min(top, innerHeight - height - EDGE))}px`;
}
