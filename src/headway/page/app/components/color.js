/** Colours of the style sheet for a canvas, which knows no custom properties. */

/** @type {HTMLElement | undefined} */
let probe;

/** Colours that are known: asking for a computed style in each frame is slow. */
const known = new Map();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => known.clear());

/**
 * The colour that `name`, a custom property such as `--accent`, has now.
 * @param {string} name
 * @param {"light" | "dark" | ""} [scheme] instead of the one that the page has
 */
export function resolveColor(name, scheme = "") {
  const key = `${name} ${scheme || document.documentElement.dataset.theme}`;
  const found = known.get(key);
  if (found) return found;
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.colorScheme = scheme;
  probe.style.color = `var(${name})`;
  const color = getComputedStyle(probe).color;
  known.set(key, color);
  return color;
}

/** The colour of a lane or series: eight, then again from the first. @param {number} index */
export const seriesColor = (index) => `--series-${(index % 8) + 1}`;
