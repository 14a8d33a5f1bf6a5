/**
 * A conversation as a tree: turns with the same parent are alternatives, of which one is chosen.
 * All functions return a new tree and leave the given one as it is.
 *
 * @typedef {{id: string, name: string, arguments: string, text: string}} ToolResult
 *
 * @typedef {object} Answer what a model said, and what is known of it
 * @property {string} model as asked for
 * @property {"done" | "failed" | "stopped"} status
 * @property {string} text
 * @property {string} reasoning
 * @property {any[]} reasoningDetails
 * @property {{id: string, name: string, arguments: string}[]} toolCalls
 * @property {{message: string, type?: string, code?: string | null} | null} error
 * @property {Record<string, any> | null} metrics
 * @property {any} cost
 * @property {string | null} id of the record
 * @property {string | null} provider
 * @property {string | null} servedModel
 * @property {string | null} finishReason
 * @property {any[]} transformations
 * @property {number[]} arrivals milliseconds; empty where they were not kept
 * @property {number | null} thoughtMs
 * @property {number | null} score 1 is good, 0 is bad
 *
 * @typedef {object} Turn
 * @property {string} id
 * @property {string | null} parent
 * @property {"user" | "assistant" | "tool"} role
 * @property {string} text
 * @property {string[]} images data URLs
 * @property {number} lostImages how many the link that this turn came with left out
 * @property {Answer | null} answer of an assistant; null while it arrives
 * @property {string | null} model that an assistant's answer was asked of
 * @property {ToolResult[]} results of a tool turn
 *
 * @typedef {{turns: Turn[], chosen: Record<string, string>}} Tree `chosen`: parent or "" to child
 */

/** @returns {Tree} */
export const emptyTree = () => ({ turns: [], chosen: {} });

let count = 0;

/**
 * A turn with the given parts.
 * @param {Partial<Turn> & {role: Turn["role"]}} parts
 * @returns {Turn}
 */
export function makeTurn(parts) {
  count += 1;
  const id = `${Date.now().toString(36)}-${count.toString(36)}`;
  return {
    id,
    parent: null,
    text: "",
    images: [],
    lostImages: 0,
    answer: null,
    model: null,
    results: [],
    ...parts,
  };
}

/** @param {Tree} tree @param {string | null} parent */
export const childrenOf = (tree, parent) => tree.turns.filter((turn) => turn.parent === parent);

/** @param {Tree} tree @param {string | null} id */
export const findTurn = (tree, id) => tree.turns.find((turn) => turn.id === id) ?? null;

/** The turn itself among its alternatives. @param {Tree} tree @param {Turn} turn */
export const alternativesOf = (tree, turn) => childrenOf(tree, turn.parent);

/** The chosen turns from the first to the last. @param {Tree} tree @returns {Turn[]} */
export function pathOf(tree) {
  const path = [];
  let next = chosenChild(tree, null);
  while (next) {
    path.push(next);
    next = chosenChild(tree, next.id);
  }
  return path;
}

/** @param {Tree} tree @param {string | null} parent */
function chosenChild(tree, parent) {
  const children = childrenOf(tree, parent);
  return children.find((turn) => turn.id === tree.chosen[parent ?? ""]) ?? children.at(-1) ?? null;
}

/** The turns that lead to `id`, itself the last. @param {Tree} tree @param {string | null} id */
export function pathTo(tree, id) {
  const path = [];
  for (let turn = findTurn(tree, id); turn; turn = findTurn(tree, turn.parent)) path.unshift(turn);
  return path;
}

/** Adds a turn and chooses it. @param {Tree} tree @param {Turn} turn @returns {Tree} */
export const addTurn = (tree, turn) =>
  chooseTurn({ ...tree, turns: [...tree.turns, turn] }, turn.id);

/** @param {Tree} tree @param {string} id @returns {Tree} */
export function chooseTurn(tree, id) {
  const turn = findTurn(tree, id);
  return turn ? { ...tree, chosen: { ...tree.chosen, [turn.parent ?? ""]: id } } : tree;
}

/** @param {Tree} tree @param {string} id @param {Partial<Turn>} changes @returns {Tree} */
export const updateTurn = (tree, id, changes) => ({
  ...tree,
  turns: tree.turns.map((turn) => (turn.id === id ? { ...turn, ...changes } : turn)),
});

/** Removes a turn and all that follow it; its neighbour is chosen. @param {Tree} tree @param {string} id @returns {Tree} */
export function removeTurn(tree, id) {
  const turn = findTurn(tree, id);
  if (!turn) return tree;
  const alternatives = alternativesOf(tree, turn);
  const at = alternatives.indexOf(turn);
  const neighbour = alternatives[at - 1] ?? alternatives[at + 1];
  const gone = new Set([id]);
  // A turn stands behind its parent, so one pass finds all that follow.
  for (const other of tree.turns) if (other.parent && gone.has(other.parent)) gone.add(other.id);
  const chosen = Object.fromEntries(
    Object.entries(tree.chosen).filter(([parent, child]) => !gone.has(parent) && !gone.has(child)),
  );
  const rest = { turns: tree.turns.filter((other) => !gone.has(other.id)), chosen };
  return neighbour ? chooseTurn(rest, neighbour.id) : rest;
}
