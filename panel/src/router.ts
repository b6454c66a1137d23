import { useEffect, useState } from "preact/hooks";

const BASE = "/-/";
const listeners = new Set<() => void>();

export interface Place {
  page: string;
  /** What follows the page's name: a service, a backup. */
  name: string;
  query: URLSearchParams;
  hash: string;
}

function here(): Place {
  const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : "";
  const [page = "", ...rest] = path.split("/");
  return {
    page: page || "overview",
    name: decodeURIComponent(rest.join("/")),
    query: new URLSearchParams(location.search),
    hash: location.hash.slice(1),
  };
}

export function go(path: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", BASE + path);
  for (const listener of listeners) listener();
}

export function link(page: string, name?: string): string {
  return BASE + page + (name === undefined ? "" : `/${encodeURIComponent(name)}`);
}

/** Links below /-/ that are pages of the panel change the page without a load. */
export function followLinks(pages: ReadonlySet<string>): void {
  addEventListener("popstate", () => listeners.forEach((listener) => listener()));
  addEventListener("click", (event) => {
    const anchor = (event.target as Element | null)?.closest?.("a");
    if (!anchor || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (anchor.target || anchor.hasAttribute("download") || anchor.origin !== location.origin) return;
    const path = anchor.pathname.slice(BASE.length);
    if (!anchor.pathname.startsWith(BASE) || !pages.has(path.split("/")[0] ?? "")) return;
    if (anchor.hash && anchor.pathname === location.pathname && anchor.search === location.search) return;
    event.preventDefault();
    go(path + anchor.search + anchor.hash);
  });
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const listener = () => setPlace(here());
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return place;
}
