/** The differences of two texts, word by word. The library is loaded when it is needed. */

/** @typedef {{text: string, kind: "same" | "added" | "removed"}} Piece */

const TIME_LIMIT_MS = 800;
const MAX_WORDS_LENGTH = 60_000;

/**
 * @param {string} before
 * @param {string} after
 * @returns {Promise<Piece[] | null>} null where the texts are too long or too different to compare
 */
export async function diffTexts(before, after) {
  const { diffLines, diffWordsWithSpace } = /** @type {any} */ (await import("diff"));
  const isShort = before.length + after.length < MAX_WORDS_LENGTH;
  const changes =
    (isShort && diffWordsWithSpace(before, after, { timeout: TIME_LIMIT_MS })) ||
    diffLines(before, after, { timeout: TIME_LIMIT_MS });
  if (!changes) return null;
  return changes.map(
    (/** @type {{value: string, added?: boolean, removed?: boolean}} */ change) => ({
      text: change.value,
      kind: change.added ? "added" : change.removed ? "removed" : "same",
    }),
  );
}

/** The share of the text that is the same, 0 to 1. @param {Piece[]} pieces */
export function sameShare(pieces) {
  const size = pieces.reduce((sum, piece) => sum + piece.text.length, 0);
  const same = pieces
    .filter((piece) => piece.kind === "same")
    .reduce((sum, piece) => sum + piece.text.length, 0);
  const whole = (size + same) / 2;
  return whole ? same / whole : 1;
}
