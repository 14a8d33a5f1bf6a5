/** One experiment that runs or has run: its lanes by model, with what can be done to them. */
import { computed, signal } from "@preact/signals";
import { modelById } from "../state/models.js";
import { Comparison } from "../streams/comparison.js";
import { messagesOf, nameEntries, requestBody, writeEntry } from "./experiment.js";

/** @typedef {import("../streams/lane.js").Lane} Lane */
/** @typedef {import("./experiment.js").Experiment} Experiment */
/** @typedef {import("./experiment.js").Entry} Entry */
/**
 * @typedef {object} Group the lanes of one entry: one for each run
 * @property {number} index of the entry, which says the colour
 * @property {Entry} entry
 * @property {string} name
 * @property {string} model the name, which several groups may have
 * @property {number} copy counts the groups with this name from 1
 * @property {Lane[]} lanes
 */

/** How often figures, table and race are drawn while answers arrive. */
const TICK_MS = 120;

export class Session {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  /** @type {Set<Comparison>} */
  #running = new Set();
  #count = signal(0);

  /**
   * @param {Experiment} experiment
   * @param {string | import("./experiment.js").Message[]} [prompt] by default the experiment's own
   */
  constructor(experiment, prompt) {
    this.experiment = experiment;
    this.prompt = prompt;
    this.startedOn = new Date();
    /** Changes several times a second while answers arrive, and at the end. */
    this.tick = signal(0);
    /** Changes when a lane begins again. */
    this.shape = signal(0);
    this.isRunning = computed(() => this.#count.value > 0);
    /** What kept the last request as a whole from being answered. */
    this.error = signal(/** @type {Error | null} */ (null));
    const comparison = new Comparison(requestBody(experiment, prompt));
    /** @type {Map<Lane, Comparison>} */
    this.sources = new Map(comparison.lanes.map((lane) => [lane, comparison]));
    /** @type {Group[]} */
    this.groups = nameEntries(experiment.entries).map((named, index) => ({
      index,
      ...named,
      lanes: comparison.lanes.slice(index * experiment.runs, (index + 1) * experiment.runs),
    }));
    this.first = comparison;
    for (const lane of comparison.lanes) this.#prepare(lane);
  }

  /** What the estimates of a lane need. @param {Lane} lane */
  #prepare(lane) {
    lane.prices = modelById.peek().get(lane.model)?.prices ?? null;
    lane.askedSize = messagesOf(this.experiment, this.prompt)
      .map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content)))
      .reduce((size, text) => size + text.length, 0);
  }

  get lanes() {
    return this.groups.flatMap((group) => group.lanes);
  }

  /** Asks all models. Ends when all answers are over. */
  async run() {
    await this.#follow(this.first);
  }

  /** Asks again where there is no whole answer; what the others said stays. @param {Lane[]} [lanes] */
  async retry(lanes = this.lanes.filter((lane) => lane.isOver && lane.status.value !== "done")) {
    this.error.value = null;
    await Promise.all(lanes.map((lane) => this.#retryLane(lane)));
  }

  /** @param {Lane} lane */
  async #retryLane(lane) {
    const group = this.groups.find(({ lanes }) => lanes.includes(lane));
    if (!group) return;
    const { runs: _, models: __, ...shared } = requestBody(this.experiment, this.prompt);
    const comparison = new Comparison({ ...shared, models: [writeEntry(group.entry)] });
    const [fresh] = comparison.lanes;
    fresh.index = lane.index;
    fresh.run = lane.run;
    this.#prepare(fresh);
    this.sources.delete(lane);
    this.sources.set(fresh, comparison);
    group.lanes = group.lanes.map((one) => (one === lane ? fresh : one));
    this.shape.value += 1;
    await this.#follow(comparison);
  }

  stop() {
    for (const comparison of this.#running) comparison.stop();
  }

  /** @param {Lane} lane @returns {number} milliseconds since it was asked */
  elapsed(lane) {
    return performance.now() - (this.sources.get(lane)?.startedAt ?? performance.now());
  }

  /** @param {Comparison} comparison */
  async #follow(comparison) {
    this.#running.add(comparison);
    this.#count.value += 1;
    this.#timer ??= setInterval(() => {
      this.tick.value += 1;
    }, TICK_MS);
    await comparison.run();
    if (comparison.error.value) this.error.value = comparison.error.value;
    this.#running.delete(comparison);
    if (!this.#running.size) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.tick.value += 1;
    this.#count.value -= 1;
  }
}
