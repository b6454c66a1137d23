import { Table } from "../parts/table";
import { texts } from "../texts";
import type { BackupDetail } from "../types";
import { pauseText } from "../units";
import { useWidth } from "./width";

type Surface = BackupDetail["surfaces"][number];

const ROW = 40;

const nameOf = (surface: Surface) => [surface.service, surface.surface, surface.context].filter(Boolean).join(" / ");

/** What a backup's pause went to, longest first. */
export function PauseBySurface({ surfaces, most = 12 }: { surfaces: Surface[]; most?: number }) {
  const { ref, width } = useWidth<HTMLElement>();
  const sorted = [...surfaces].sort((a, b) => b.pause_ms - a.pause_ms);
  const shown = sorted.slice(0, most);
  const longest = Math.max(1, ...shown.map((surface) => surface.pause_ms));
  return (
    <figure class="picture" ref={ref}>
      <svg width={width} height={shown.length * ROW} role="img" aria-label={texts.pictures.pause}>
        {shown.map((surface, i) => (
          <g key={nameOf(surface)}>
            <text class="tile-name" x={0} y={i * ROW + 14}>
              {nameOf(surface)}
            </text>
            <text x={width} y={i * ROW + 14} text-anchor="end">
              {pauseText(surface.pause_ms)}
            </text>
            <rect
              class="bar-quiesced"
              x={0}
              y={i * ROW + 20}
              height={7}
              rx={3}
              width={Math.max(2, (surface.pause_ms / longest) * width)}
            />
          </g>
        ))}
      </svg>
      <details>
        <summary>{texts.pictures.asTable}</summary>
        <Table
          scrolls
          caption={texts.pictures.pause}
          rows={sorted}
          keyOf={nameOf}
          columns={[
            { head: texts.words.service, cell: (surface) => surface.service },
            { head: texts.words.surface, cell: (surface) => surface.surface },
            { head: texts.words.context, cell: (surface) => surface.context || "–" },
            { head: texts.words.pause, kind: "number", cell: (surface) => pauseText(surface.pause_ms) },
          ]}
        />
      </details>
    </figure>
  );
}
