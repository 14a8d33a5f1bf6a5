/**
 * A ranking from blind votes: each vote says which of the models shown was best. The strengths are
 * those under which the votes are most likely (the model of Luce, for two models that of Bradley and
 * Terry), with a weak prior that holds them finite while votes are few. Values without DOM.
 */

/**
 * @typedef {object} Vote
 * @property {string[]} models that were shown
 * @property {string | null} winner null: none of them was good, or all the same
 * @property {"best" | "tie" | "none"} kind
 * @property {string} time
 */
/** @typedef {{model: string, rating: number, low: number, high: number, votes: number, wins: number, ties: number}} Rank */

const ELO = 400 / Math.LN10;
const CENTER = 1000;
/** Strengths a standard deviation of 3 apart (500 points) are not unusual before any vote. */
const PRIOR = 1 / 9;
const STEPS = 60;

/**
 * @param {Vote[]} votes
 * @param {{prior?: number}} [options] 0: the votes alone; every model must then have won and lost
 * @returns {Rank[]} the best first; ratings on Elo's scale around 1000, with intervals of 95%
 */
export function rankModels(votes, { prior = PRIOR } = {}) {
  const counted = votes.filter((vote) => vote.kind !== "none" && new Set(vote.models).size > 1);
  const models = [...new Set(counted.flatMap((vote) => vote.models))].sort();
  const rounds = counted.map((vote) => readRound(vote, models));
  const strengths = fitStrengths(rounds, models.length, prior);
  const covariance = invert(information(rounds, strengths, prior));
  return models
    .map((model, at) => {
      const rating = CENTER + ELO * strengths[at];
      const spread =
        1.96 * ELO * Math.sqrt(Math.max(0, covariance[at][at] - (prior ? 0 : 1 / models.length)));
      const own = counted.filter((vote) => vote.models.includes(model));
      return {
        model,
        rating,
        low: rating - spread,
        high: rating + spread,
        votes: own.length,
        wins: own.filter((vote) => vote.winner === model).length,
        ties: own.filter((vote) => vote.kind === "tie").length,
      };
    })
    .sort((a, b) => b.rating - a.rating || a.model.localeCompare(b.model));
}

/** @typedef {{shown: number[], shares: number[]}} Round positions of the models, and what each won */

/** @param {Vote} vote @param {string[]} models @returns {Round} */
function readRound(vote, models) {
  const shown = [...new Set(vote.models)].map((model) => models.indexOf(model));
  const winner = vote.kind === "best" ? models.indexOf(vote.winner ?? "") : -1;
  return {
    shown,
    shares: shown.map((at) => (winner < 0 ? 1 / shown.length : Number(at === winner))),
  };
}

/** @param {number[]} shown @param {number[]} strengths */
function chancesOf(shown, strengths) {
  const top = Math.max(...shown.map((at) => strengths[at]));
  const weights = shown.map((at) => Math.exp(strengths[at] - top));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Newton's method on the logarithm of the likelihood, which has one maximum. @param {Round[]} rounds @param {number} count @param {number} prior */
function fitStrengths(rounds, count, prior) {
  let strengths = /** @type {number[]} */ (Array(count).fill(0));
  for (let step = 0; step < STEPS; step += 1) {
    const slope = strengths.map((strength) => -prior * strength);
    for (const { shown, shares } of rounds) {
      const chances = chancesOf(shown, strengths);
      shown.forEach((at, place) => {
        slope[at] += shares[place] - chances[place];
      });
    }
    const inverse = invert(information(rounds, strengths, prior));
    const move = inverse.map((row) => row.reduce((sum, value, at) => sum + value * slope[at], 0));
    const longest = Math.max(0, ...move.map(Math.abs));
    const scale = longest > 1 ? 1 / longest : 1;
    strengths = strengths.map((strength, at) => strength + scale * move[at]);
    if (longest < 1e-12) break;
  }
  return strengths;
}

/**
 * The information about the strengths in the votes. Without a prior their sum is fixed instead.
 * @param {Round[]} rounds @param {number[]} strengths @param {number} prior
 */
function information(rounds, strengths, prior) {
  const count = strengths.length;
  const matrix = strengths.map((_, row) =>
    strengths.map((__, column) => (prior ? (row === column ? prior : 0) : 1 / count)),
  );
  for (const { shown } of rounds) {
    const chances = chancesOf(shown, strengths);
    shown.forEach((row, i) => {
      shown.forEach((column, j) => {
        matrix[row][column] += chances[i] * (Number(i === j) - chances[j]);
      });
    });
  }
  return matrix;
}

/** By Gauss and Jordan, with pivots. @param {number[][]} matrix @returns {number[][]} */
export function invert(matrix) {
  const size = matrix.length;
  const work = matrix.map((row, at) => [...row, ...row.map((_, column) => Number(at === column))]);
  for (let at = 0; at < size; at += 1) {
    let pivot = at;
    for (let row = at + 1; row < size; row += 1) {
      if (Math.abs(work[row][at]) > Math.abs(work[pivot][at])) pivot = row;
    }
    [work[at], work[pivot]] = [work[pivot], work[at]];
    const divisor = work[at][at] || Number.EPSILON;
    work[at] = work[at].map((value) => value / divisor);
    for (let row = 0; row < size; row += 1) {
      const factor = work[row][at];
      if (row !== at && factor)
        work[row] = work[row].map((value, column) => value - factor * work[at][column]);
    }
  }
  return work.map((row) => row.slice(size));
}
