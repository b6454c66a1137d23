import { describe, expect, test } from "vitest";
import { piecesOf, tilesOf } from "../src/pictures/treemap-data";
import type { InventoryRow } from "../src/types";

function row(service: string, surface: string, bytes: number | null, part: Partial<InventoryRow> = {}): InventoryRow {
  return {
    service,
    surface,
    kind: "files",
    where: `/data/${service}`,
    split: "",
    class: "source",
    bytes,
    snapshot: "",
    state: "declared",
    parts: [],
    ...part,
  };
}

const rows = [
  row("notes", "files", 30, {
    parts: [
      { context: "geo", bytes: 20 },
      { context: "mind", bytes: 10 },
    ],
  }),
  row("notes", "index", 40, { class: "derived" }),
  row("mail", "", 5, { state: "undeclared" }),
  row("mail", "unknown", null),
];

describe("the treemap's table", () => {
  test("has a row for each context, largest first, and names what nobody declared by its place", () => {
    expect(piecesOf(rows)).toEqual([
      { service: "notes", surface: "index", context: "", bytes: 40, look: "derived" },
      { service: "notes", surface: "files", context: "geo", bytes: 20, look: "source" },
      { service: "notes", surface: "files", context: "mind", bytes: 10, look: "source" },
      { service: "mail", surface: "/data/mail", context: "", bytes: 5, look: "undeclared" },
    ]);
  });
});

describe("the treemap's tiles", () => {
  test("lie within the picture, one for each row", () => {
    const { tiles, areas } = tilesOf(piecesOf(rows), 600, 300);
    expect(tiles).toHaveLength(4);
    expect(areas.map((area) => area.service)).toEqual(["notes", "mail"]);
    for (const tile of tiles) {
      expect(tile.x).toBeGreaterThanOrEqual(0);
      expect(tile.x + tile.width).toBeLessThanOrEqual(600);
      expect(tile.y + tile.height).toBeLessThanOrEqual(300);
    }
  });
});
