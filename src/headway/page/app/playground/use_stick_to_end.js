/** A scrolling region that stays at its end while its content grows, until the user scrolls up. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** Closer to the end than this counts as at the end. */
const NEAR = 48;

/** @param {boolean} isOn whether there is anything whose end matters */
export function useStickToEnd(isOn) {
  const scroller = useRef(/** @type {HTMLElement | null} */ (null));
  const content = useRef(/** @type {HTMLElement | null} */ (null));
  const isSticking = useRef(true);
  const latest = useRef(isOn);
  latest.current = isOn;
  const isAtEnd = useSignal(true);
  const jumpToEnd = () => {
    isSticking.current = true;
    isAtEnd.value = true;
    const place = scroller.current;
    if (place) place.scrollTop = place.scrollHeight;
  };
  useEffect(() => {
    const [place, inner] = [scroller.current, content.current];
    if (!place || !inner) return;
    let top = place.scrollTop;
    const distance = () => place.scrollHeight - place.clientHeight - place.scrollTop;
    const onScroll = () => {
      // Growing content moves the end away; only the user moves the view up.
      if (distance() < NEAR) isSticking.current = true;
      else if (place.scrollTop < top - 1) isSticking.current = false;
      top = place.scrollTop;
      isAtEnd.value = isSticking.current || distance() < NEAR;
    };
    const follow = () => {
      if (isSticking.current && latest.current) place.scrollTop = place.scrollHeight;
      top = place.scrollTop;
      isAtEnd.value = isSticking.current || distance() < NEAR;
    };
    const observer = new ResizeObserver(follow);
    observer.observe(inner);
    observer.observe(place);
    place.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      place.removeEventListener("scroll", onScroll);
    };
  }, []);
  return { scroller, content, isAtEnd: isAtEnd.value || !isOn, jumpToEnd };
}
