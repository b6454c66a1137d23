import { Table } from "../parts/table";
import { texts } from "../texts";
import type { InventoryRow } from "../types";
import { bytesText } from "../units";
import { piecesOf, tilesOf } from "./treemap-data";
import { useWidth } from "./width";

const HEIGHT = 320;
const LETTER = 7.2;

/** A name may be cut, a number may not. */
function whole(text: string, width: number): string {
  return text.length * LETTER > width - 12 ? "" : text;
}

function fitted(text: string, width: number): string {
  const letters = Math.floor((width - 12) / LETTER);
  if (text.length <= letters) return text;
  return letters < 4 ? "" : `${text.slice(0, letters - 1)}…`;
}

/** State by service, surface and context: areas are sizes. */
export function Treemap({ rows }: { rows: InventoryRow[] }) {
  const { ref, width } = useWidth<HTMLElement>();
  const pieces = piecesOf(rows);
  const { tiles, areas } = tilesOf(pieces, Math.max(width, 1), HEIGHT);
  return (
    <figure class="picture" ref={ref}>
      <svg width={width} height={HEIGHT} role="img" aria-label={texts.pictures.treemap}>
        {tiles.map((tile) => {
          const name = fitted(tile.surface, tile.width);
          return (
            <g key={`${tile.service}/${tile.surface}/${tile.context}`}>
              <title>{texts.pictures.tile(tile.service, tile.surface, tile.context, bytesText(tile.bytes))}</title>
              <rect class={`tile ${tile.look}`} x={tile.x} y={tile.y} width={tile.width} height={tile.height} rx={4} />
              {tile.height > 24 && (
                <text class="tile-name" x={tile.x + 7} y={tile.y + 17}>
                  {name}
                </text>
              )}
              {tile.height > 42 && (
                <text x={tile.x + 7} y={tile.y + 33}>
                  {tile.context ? fitted(tile.context, tile.width) : whole(bytesText(tile.bytes), tile.width)}
                </text>
              )}
              {tile.height > 60 && tile.context && (
                <text x={tile.x + 7} y={tile.y + 49}>
                  {whole(bytesText(tile.bytes), tile.width)}
                </text>
              )}
            </g>
          );
        })}
        {areas.map((area) => (
          <text key={area.service} x={area.x + 2} y={area.y + 14}>
            {whole(`${area.service} ${bytesText(area.bytes)}`, area.width + 8) || fitted(area.service, area.width + 8)}
          </text>
        ))}
      </svg>
      <figcaption>
        <span class="key source">{texts.pictures.source}</span>
        <span class="key derived">{texts.pictures.derived}</span>
        <span class="key unclaimed">{texts.pictures.unclaimed}</span>
      </figcaption>
      <details>
        <summary>{texts.pictures.asTable}</summary>
        <Table
          scrolls
          caption={texts.pictures.treemap}
          rows={pieces}
          keyOf={(piece) => `${piece.service}/${piece.surface}/${piece.context}`}
          columns={[
            { head: texts.words.service, cell: (piece) => piece.service },
            { head: texts.words.surface, cell: (piece) => piece.surface },
            { head: texts.words.context, cell: (piece) => piece.context || "–" },
            { head: texts.words.class, cell: (piece) => piece.look },
            { head: texts.words.size, kind: "number", cell: (piece) => bytesText(piece.bytes) },
          ]}
        />
      </details>
    </figure>
  );
}
