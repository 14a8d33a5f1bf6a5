/** Files that the page hands out. */

/** @param {string} name @param {string | Blob} content @param {string} [type] */
export function saveFile(name, content, type = "") {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
