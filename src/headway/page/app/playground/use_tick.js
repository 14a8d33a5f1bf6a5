/** Draws a component again and again while something is on. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** @param {boolean} isOn @param {number} [everyMs] @returns {number} changes with each tick */
export function useTick(isOn, everyMs = 100) {
  const count = useSignal(0);
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(() => {
      count.value += 1;
    }, everyMs);
    return () => clearInterval(timer);
  }, [isOn, everyMs]);
  return count.value;
}
