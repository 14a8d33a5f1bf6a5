/** The pictures of a prompt, small. */
import { IconButton } from "../components/basics.js";
import { html } from "../html.js";

/** @param {{images: string[], onRemove?: (at: number) => void}} props */
export function Thumbnails({ images, onRemove }) {
  if (!images.length) return null;
  return html`<ul class="thumbnails">
    ${images.map(
      (url, at) => html`<li key=${`${at} ${url.length}`}>
        <img src=${url} alt=${`Picture ${at + 1}`} />
        ${onRemove && html`<${IconButton} icon="close" label=${`Remove picture ${at + 1}`} class="compact" onClick=${() => onRemove(at)} />`}
      </li>`,
    )}
  </ul>`;
}
