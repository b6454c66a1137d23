import { useEffect } from "preact/hooks";

/** Asks again every so often, while the page is looked at. */
export function usePolling(again: () => void, ms: number): void {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && again(), ms);
    return () => clearInterval(timer);
  }, [again, ms]);
}
