/** Many prompts, each asked of all models: one after another, or several at a time. */
import { computed, signal } from "@preact/signals";
import { Session } from "./session.js";

/** @typedef {import("./prompts_file.js").Prompt} Prompt */
/** @typedef {{title: string, prompt: Prompt["prompt"], session: Session | null}} Row */

export const MAX_AT_ONCE = 8;

/** The last one that was started. */
export const batch = signal(/** @type {PromptBatch | null} */ (null));

export class PromptBatch {
  #isStopped = false;

  /** @param {import("./experiment.js").Experiment} experiment @param {Prompt[]} prompts @param {number} atOnce */
  constructor(experiment, prompts, atOnce) {
    this.experiment = { ...experiment, messages: [], prompt: "" };
    this.atOnce = atOnce;
    this.startedOn = new Date();
    /** @type {Row[]} */
    this.rows = prompts.map(({ title, prompt }) => ({ title, prompt, session: null }));
    /** Changes when a prompt begins or is over. */
    this.version = signal(0);
    this.isRunning = signal(false);
    this.done = computed(() => {
      this.version.value;
      return this.rows.filter((row) => row.session && !row.session.isRunning.value).length;
    });
  }

  /** Asks what was not asked yet. */
  async run() {
    this.#isStopped = false;
    this.isRunning.value = true;
    const waiting = this.rows.filter((row) => !row.session);
    const work = async () => {
      for (let row = waiting.shift(); row && !this.#isStopped; row = waiting.shift())
        await this.#ask(row);
    };
    await Promise.all(Array.from({ length: this.atOnce }, work));
    this.isRunning.value = false;
  }

  /** What runs is ended; what waits can be asked later. */
  stop() {
    this.#isStopped = true;
    for (const { session } of this.rows) session?.stop();
  }

  /** @param {Row} row */
  async #ask(row) {
    row.session = new Session(this.experiment, row.prompt);
    this.version.value += 1;
    await row.session.run();
    this.version.value += 1;
  }
}
