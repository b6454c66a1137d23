import { Table } from "../parts/table";
import { texts } from "../texts";
import type { BackupRow } from "../types";
import { bytesText, pauseText } from "../units";
import { useWidth } from "./width";

const SHOWN = 60;
const LEFT = 62;
const BYTES = { top: 18, height: 110 };
const PAUSE = { top: 160, height: 60 };
const HEIGHT = 244;

const dayText = (time: string) =>
  new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" }).format(new Date(time));

/** Above the size of each backup, its colour the consistency; below how long writers were paused for it. */
export function BackupHistory({ backups }: { backups: BackupRow[] }) {
  const { ref, width } = useWidth<HTMLElement>();
  const shown = [...backups].sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at)).slice(-SHOWN);
  const bytesMax = Math.max(1, ...shown.map((backup) => backup.bytes));
  const pauseMax = Math.max(1, ...shown.map((backup) => backup.pause_ms));
  const step = Math.max(0, width - LEFT - 8) / Math.max(shown.length, 8);
  const middle = (i: number) => LEFT + step * (i + 0.5);
  const barWidth = Math.min(28, Math.max(2, step * 0.66));
  const pauseY = (ms: number) => PAUSE.top + PAUSE.height - (ms / pauseMax) * PAUSE.height;
  const dates = shown.length > 1 ? [0, shown.length - 1] : [0];
  return (
    <figure class="picture" ref={ref}>
      <svg width={width} height={HEIGHT} role="img" aria-label={texts.pictures.history}>
        <text x={0} y={BYTES.top + 5}>
          {bytesText(bytesMax)}
        </text>
        <line class="axis" x1={LEFT} x2={width} y1={BYTES.top} y2={BYTES.top} />
        <line class="axis" x1={LEFT} x2={width} y1={BYTES.top + BYTES.height} y2={BYTES.top + BYTES.height} />
        <text x={0} y={PAUSE.top + 5}>
          {pauseText(pauseMax)}
        </text>
        <line class="axis" x1={LEFT} x2={width} y1={PAUSE.top} y2={PAUSE.top} />
        <line class="axis" x1={LEFT} x2={width} y1={PAUSE.top + PAUSE.height} y2={PAUSE.top + PAUSE.height} />
        {shown.map((backup, i) => {
          const height = Math.max(2, (backup.bytes / bytesMax) * BYTES.height);
          return (
            <rect
              key={backup.id}
              class={`bar-${backup.consistency}`}
              x={middle(i) - barWidth / 2}
              y={BYTES.top + BYTES.height - height}
              width={barWidth}
              height={height}
              rx={2}
            >
              <title>{texts.pictures.bar(backup)}</title>
            </rect>
          );
        })}
        <polyline class="line" points={shown.map((backup, i) => `${middle(i)},${pauseY(backup.pause_ms)}`).join(" ")} />
        {shown.map((backup, i) => (
          <circle key={backup.id} class="dot" cx={middle(i)} cy={pauseY(backup.pause_ms)} r={3}>
            <title>{texts.pictures.bar(backup)}</title>
          </circle>
        ))}
        {dates.map((i) => (
          <text key={i} x={middle(i)} y={HEIGHT - 6} text-anchor={i === 0 ? "start" : "end"}>
            {shown[i] && dayText(shown[i].created_at)}
          </text>
        ))}
      </svg>
      <figcaption>
        <span class="key quiesced">{texts.consistency.quiesced}</span>
        <span class="key filesystem">{texts.consistency.filesystem}</span>
        <span class="key crash">{texts.consistency.crash}</span>
        <span class="key pause">{texts.words.pause}</span>
      </figcaption>
      <details>
        <summary>{texts.pictures.asTable}</summary>
        <Table
          scrolls
          caption={texts.pictures.history}
          rows={[...shown].reverse()}
          keyOf={(backup) => backup.id}
          columns={[
            { head: texts.words.time, cell: (backup) => texts.time(backup.created_at) },
            { head: texts.words.size, kind: "number", cell: (backup) => bytesText(backup.bytes) },
            { head: texts.words.pause, kind: "number", cell: (backup) => pauseText(backup.pause_ms) },
            { head: texts.words.consistency, cell: (backup) => texts.consistency[backup.consistency] },
          ]}
        />
      </details>
    </figure>
  );
}
