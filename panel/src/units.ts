const BYTE_UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return "–";
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  let value = bytes;
  let unit = "";
  for (const next of BYTE_UNITS) {
    if (value < 999.5 && unit !== "") break;
    value /= 1024;
    unit = next;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** "40 s", "3 min 20 s", "2 h 5 min", "3 days". */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return "under a second";
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

export function pauseText(ms: number): string {
  return ms < 1000 ? `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms` : durationText(ms);
}

/** "just now", "5 minutes ago", "in 2 hours", "3 days ago". */
export function relativeText(time: string | null, now = Date.now()): string {
  if (time === null) return "never";
  const seconds = (Date.parse(time) - now) / 1000;
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  if (size < 45 * 60) return format.format(Math.round(seconds / 60), "minute");
  if (size < 22 * 3600) return format.format(Math.round(seconds / 3600), "hour");
  if (size < 26 * 86400) return format.format(Math.round(seconds / 86400), "day");
  return timeText(time);
}

/** In the reader's own zone, or in another. */
export function timeText(time: string | number, zone?: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: zone,
    ...(zone ? { timeZoneName: "short" } : {}),
  }).format(new Date(time));
}

export function shortDid(did: string | null): string {
  return did === null ? "–" : did.length > 24 ? `${did.slice(0, 13)}…${did.slice(-6)}` : did;
}

/** "there is no room" as a sentence. A name that it begins with stays as it is. */
export function sentenceText(text: string): string {
  const [first = ""] = text.split(" ", 1);
  const isWord = /^[a-z]+[,:]?$/.test(first);
  const begun = isWord ? first[0]?.toUpperCase() + text.slice(1) : text;
  return /[.!?…:]$/.test(begun) || begun === "" ? begun : `${begun}.`;
}

const BROWSERS = [
  [/Edg\//, "Edge"],
  [/Firefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
] as const;
const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Windows/, "Windows"],
  [/Macintosh/, "macOS"],
  [/Linux/, "Linux"],
] as const;

/** "Firefox on Linux" of what a browser says of itself; what says something else is shown as it is. */
export function agentText(agent: string): string {
  const named = (names: readonly (readonly [RegExp, string])[]) => names.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = named(BROWSERS);
  const system = named(SYSTEMS);
  return browser && system ? `${browser} on ${system}` : agent;
}
