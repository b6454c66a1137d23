import type { Every } from "./types";

// When a schedule runs. A day's local time that summer time skips is taken with the offset before the change (02:30
// becomes 03:30); one that comes twice is taken the first time. An hourly schedule runs each real hour at the minute of
// `at`, a weekly one on Mondays. The daemon keeps the same rules.

interface LocalTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    });
    formats.set(zone, format);
  }
  return format;
}

function localTimeAt(instant: number, zone: string): LocalTime {
  const found: Record<string, number> = {};
  for (const part of formatOf(zone).formatToParts(instant)) found[part.type] = Number(part.value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = found;
  return { year, month, day, hour, minute };
}

function asUtc(local: LocalTime): number {
  return Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute);
}

function offsetAt(instant: number, zone: string): number {
  return asUtc(localTimeAt(instant, zone)) - Math.floor(instant / MINUTE) * MINUTE;
}

export function instantOf(local: LocalTime, zone: string): number {
  const wanted = asUtc(local);
  const before = offsetAt(wanted - DAY, zone);
  const after = offsetAt(wanted + DAY, zone);
  const candidates = [wanted - before, wanted - after].sort((a, b) => a - b);
  const real = candidates.find((instant) => offsetAt(instant, zone) === wanted - instant);
  return real ?? wanted - before;
}

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone !== "";
  } catch {
    return false;
  }
}

export function zoneNames(): string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
}

/** The next `count` runs after `from`; none where `at` is no time or `zone` no zone. */
export function nextRuns(at: string, zone: string, every: Every, from: number, count: number): number[] {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(at);
  if (!match || !isZone(zone)) return [];
  const hour = Number(match[1]);
  const minute = Number(match[2]);
  return every === "hour" ? hourlyRuns(minute, zone, from, count) : dailyRuns(hour, minute, zone, every, from, count);
}

function dailyRuns(hour: number, minute: number, zone: string, every: Every, from: number, count: number): number[] {
  const today = localTimeAt(from, zone);
  const runs: number[] = [];
  for (let ahead = 0; runs.length < count; ahead++) {
    const date = new Date(Date.UTC(today.year, today.month - 1, today.day + ahead));
    if (every === "week" && date.getUTCDay() !== 1) continue;
    const run = instantOf(
      { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), hour, minute },
      zone,
    );
    if (run > from) runs.push(run);
  }
  return runs;
}

function hourlyRuns(minute: number, zone: string, from: number, count: number): number[] {
  const runs: number[] = [];
  let instant = Math.floor(from / MINUTE) * MINUTE + MINUTE;
  while (runs.length < count) {
    const wait = (minute - localTimeAt(instant, zone).minute + 60) % 60;
    if (wait === 0) {
      runs.push(instant);
      instant += MINUTE;
    } else {
      instant += Math.min(wait, 30) * MINUTE;
    }
  }
  return runs;
}
