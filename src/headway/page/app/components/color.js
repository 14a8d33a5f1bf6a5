/** Colours of the style sheet for a canvas, which knows no custom properties. */

/** @type {HTMLElement | undefined} */
let probe;

/** The colour that `name`, a custom property such as `--accent`, has now. @param {string} name */
export function resolveColor(name) {
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** The colour of a lane or series: eight, then again from the first. @param {number} index */
export const seriesColor = (index) => `--series-${(index % 8) + 1}`;
