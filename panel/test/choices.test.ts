import { hintInPanel } from "../src/hints";
import { describe, expect, test } from "vitest";
import { chosenWithNeeds } from "../src/pages/catalog-choice";
import { isSame, tidied } from "../src/pages/restore-plan";
import { secretsToEnter } from "../src/parts/secret-fields";
import type { CatalogRow, SecretRow } from "../src/types";

const row = (name: string, after: string[] = [], installed = false): CatalogRow => ({
  name,
  version: "1",
  summary: "",
  installed,
  after,
  download_bytes: null,
  secrets: [],
});

test("what a chosen service comes after is chosen with it, once, but for what is installed", () => {
  const rows = [
    row("db", [], true),
    row("cache"),
    row("wiki", ["db", "cache"]),
    row("shop", ["wiki"]),
    row("loop", ["loop"]),
  ];
  expect(chosenWithNeeds(rows, ["shop", "loop", "gone"]).map(({ name }) => name)).toEqual([
    "cache",
    "wiki",
    "shop",
    "loop",
  ]);
});

test("secrets that make themselves are not asked for", () => {
  const secret = (handle: string, part: Partial<SecretRow>): SecretRow => ({
    handle,
    class: "portable",
    required: true,
    present: false,
    ...part,
  });
  const secrets = [
    secret("a/there", { present: true }),
    secret("a/made", { class: "regenerate" }),
    secret("a/asked", {}),
  ];
  expect(secretsToEnter(secrets).map(({ handle }) => handle)).toEqual(["a/asked"]);
});

describe("choices of a restore", () => {
  test("that say nothing are left out", () => {
    expect(tidied({ as: "", replace: false, without: [], context: "geo" })).toEqual({ context: "geo" });
  });

  test("are the same whatever order they were made in", () => {
    expect(isSame({ replace: true, context: "geo" }, { context: "geo", as: "", replace: true })).toBe(true);
    expect(isSame({ without: ["notes"] }, {})).toBe(false);
  });
});

test("what to do is said in the words of the page", () => {
  expect(hintInPanel("declare it in /srv/services, or leave it out with --without notes")).toBe(
    "declare it in /srv/services, or leave it out below",
  );
  expect(hintInPanel("give --allow-older to go back to this one")).toBe(
    "choose “It may be older” below, under “Rarely needed”, to go back to this one",
  );
  expect(hintInPanel("make 3 GiB free")).toBe("make 3 GiB free");
});
