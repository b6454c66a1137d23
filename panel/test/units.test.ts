import { describe, expect, test } from "vitest";
import { Rate, percentOf } from "../src/rate";
import { agentText, bytesText, durationText, pauseText, relativeText, sentenceText } from "../src/units";

describe("texts of amounts", () => {
  test("bytes have a unit and about three digits", () => {
    expect([0, 1, 1023, 1024, 10_240, 1_048_000, 1024 ** 3 * 62.25, null].map(bytesText)).toEqual([
      "0 bytes",
      "1 byte",
      "1023 bytes",
      "1.0 KiB",
      "10 KiB",
      "1.0 MiB",
      "62 GiB",
      "–",
    ]);
  });

  test("durations have at most two units", () => {
    expect([400, 40_000, 60_000, 200_000, 7_500_000, 200_000_000].map(durationText)).toEqual([
      "under a second",
      "40 s",
      "1 min",
      "3 min 20 s",
      "2 h 5 min",
      "2 days",
    ]);
  });

  test("short pauses are in milliseconds", () => {
    expect([0.44, 88.2, 1500].map(pauseText)).toEqual(["0.4 ms", "88 ms", "2 s"]);
  });

  test("times near now are said by their distance", () => {
    const now = Date.parse("2026-06-01T12:00:00Z");
    expect(relativeText(null, now)).toBe("never");
    expect(relativeText("2026-06-01T11:59:40Z", now)).toBe("just now");
    expect(relativeText("2026-06-01T11:00:00Z", now)).toBe("1 hour ago");
    expect(relativeText("2026-06-01T14:00:00Z", now)).toBe("in 2 hours");
    expect(relativeText("2026-05-31T12:00:00Z", now)).toBe("yesterday");
  });
});

describe("progress", () => {
  test("reaches 100 only where the work is done", () => {
    expect(percentOf(1000, 1000, false)).toBe(99);
    expect(percentOf(null, null, true)).toBe(100);
    expect(percentOf(5, 0, false)).toBe(null);
  });

  test("has the rate of the last ten seconds of its phase", () => {
    const rate = new Rate();
    expect(rate.after("staging", 0, 0)).toBe(null);
    expect(rate.after("staging", 500, 500)).toBe(null);
    expect(rate.after("staging", 2000, 2000)).toBe(1000);
    expect(rate.after("staging", 2000, 13_000)).toBe(null);
    expect(rate.after("switching", 1, 14_000)).toBe(null);
  });
});

test("a server's message becomes a sentence", () => {
  expect(sentenceText("there is no room")).toBe("There is no room.");
  expect(sentenceText("hero_osis is not declared")).toBe("hero_osis is not declared.");
  expect(sentenceText("")).toBe("");
  expect(sentenceText("Choose another file.")).toBe("Choose another file.");
});

test("a browser is called by its name and its system's", () => {
  const chrome =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
  expect(agentText(chrome)).toBe("Chrome on Linux");
  expect(agentText("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0")).toBe("Firefox on Android");
  expect(agentText("curl/8.0")).toBe("curl/8.0");
});
