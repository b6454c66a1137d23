import { describe, expect, test } from "vitest";
import { instantOf, isZone, nextRuns } from "../src/schedule";

const iso = (runs: number[]) => runs.map((run) => new Date(run).toISOString().slice(0, 16));
const from = (time: string) => Date.parse(time);

describe("the runs of a schedule", () => {
  test("are at the same time of day before and after summer time begins", () => {
    expect(iso(nextRuns("03:30", "Europe/Berlin", "day", from("2026-03-27T12:00:00Z"), 3))).toEqual([
      "2026-03-28T02:30",
      "2026-03-29T01:30",
      "2026-03-30T01:30",
    ]);
  });

  test("take a time that summer time skips with the offset before", () => {
    expect(iso(nextRuns("02:30", "Europe/Berlin", "day", from("2026-03-28T12:00:00Z"), 2))).toEqual([
      "2026-03-29T01:30",
      "2026-03-30T00:30",
    ]);
  });

  test("take a time that comes twice once, the first time", () => {
    expect(iso(nextRuns("02:30", "Europe/Berlin", "day", from("2026-10-24T12:00:00Z"), 2))).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("are every real hour, also where the clock is put back by half an hour", () => {
    expect(iso(nextRuns("00:15", "Europe/Berlin", "hour", from("2026-10-24T23:20:00Z"), 4))).toEqual([
      "2026-10-25T00:15",
      "2026-10-25T01:15",
      "2026-10-25T02:15",
      "2026-10-25T03:15",
    ]);
    const runs = nextRuns("00:15", "Australia/Lord_Howe", "hour", from("2026-04-04T13:00:00Z"), 4);
    const gaps = runs.slice(1).map((run, i) => (run - (runs[i] ?? 0)) / 60_000);
    expect(gaps.every((gap) => gap >= 30 && gap <= 90)).toBe(true);
  });

  test("are on Mondays where they are weekly, across a year's end", () => {
    expect(iso(nextRuns("23:00", "America/New_York", "week", from("2026-12-25T00:00:00Z"), 2))).toEqual([
      "2026-12-29T04:00",
      "2027-01-05T04:00",
    ]);
  });

  test("leave out a run that is now", () => {
    expect(iso(nextRuns("12:00", "UTC", "day", from("2026-01-01T12:00:00Z"), 1))).toEqual(["2026-01-02T12:00"]);
  });

  test("are none where the time or the zone is none", () => {
    expect(nextRuns("25:00", "UTC", "day", 0, 5)).toEqual([]);
    expect(nextRuns("12:00", "Europe/Atlantis", "day", 0, 5)).toEqual([]);
    expect(isZone("")).toBe(false);
  });

  test("know the zones on the other side of the date line", () => {
    expect(
      new Date(instantOf({ year: 2026, month: 1, day: 1, hour: 0, minute: 30 }, "Pacific/Kiritimati")).toISOString(),
    ).toBe("2025-12-31T10:30:00.000Z");
  });
});
