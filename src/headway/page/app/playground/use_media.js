/** Whether a media query holds, in a component. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** @param {string} query */
export function useMedia(query) {
  const holds = useSignal(matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = () => {
      holds.value = list.matches;
    };
    list.addEventListener("change", update);
    return () => list.removeEventListener("change", update);
  }, [query]);
  return holds.value;
}
