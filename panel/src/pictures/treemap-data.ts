import { hierarchy, treemap, treemapSquarify } from "d3-hierarchy";
import type { InventoryRow } from "../types";

export interface Piece {
  service: string;
  surface: string;
  context: string;
  bytes: number;
  look: string;
}

export interface Tile extends Piece {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface ServiceArea {
  service: string;
  bytes: number;
  x: number;
  y: number;
  width: number;
}

interface Node {
  name: string;
  piece?: Piece;
  children?: Node[];
}

/** A piece for each context of a split surface, largest first; what nobody could measure is left out. */
export function piecesOf(rows: InventoryRow[]): Piece[] {
  const pieces: Piece[] = [];
  for (const row of rows) {
    const look = row.state === "declared" ? row.class : row.state;
    const surface = row.surface || row.where;
    const parts = row.parts.length > 0 ? row.parts : [{ context: "", bytes: row.bytes ?? 0 }];
    for (const part of parts) {
      if (part.bytes > 0)
        pieces.push({ service: row.service, surface, context: part.context, bytes: part.bytes, look });
    }
  }
  return pieces.sort((a, b) => b.bytes - a.bytes);
}

const HEADING = 20;

export function tilesOf(pieces: Piece[], width: number, height: number): { tiles: Tile[]; areas: ServiceArea[] } {
  const services = new Map<string, Node[]>();
  for (const piece of pieces) {
    const nodes = services.get(piece.service) ?? [];
    nodes.push({ name: piece.surface, piece });
    services.set(piece.service, nodes);
  }
  const root = hierarchy<Node>({
    name: "",
    children: [...services].map(([name, children]) => ({ name, children })),
  })
    .sum((node) => node.piece?.bytes ?? 0)
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const laid = treemap<Node>()
    .tile(treemapSquarify.ratio(1.4))
    .size([width, height])
    .paddingInner(2)
    .paddingTop((node) => (node.depth === 1 ? HEADING : 0))(root);
  const tiles = laid
    .leaves()
    .flatMap((leaf) =>
      leaf.data.piece
        ? [{ ...leaf.data.piece, x: leaf.x0, y: leaf.y0, width: leaf.x1 - leaf.x0, height: leaf.y1 - leaf.y0 }]
        : [],
    );
  const areas = (laid.children ?? []).map((node) => ({
    service: node.data.name,
    bytes: node.value ?? 0,
    x: node.x0,
    y: node.y0,
    width: node.x1 - node.x0,
  }));
  return { tiles, areas };
}
