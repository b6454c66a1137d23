import { Time } from "../parts/states";
import { texts } from "../texts";
import type { RecordRow } from "../types";
import { shortDid } from "../units";

export function RecordList({ records }: { records: RecordRow[] }) {
  return (
    <ul class="findings">
      {records.map((row) => (
        <li key={row.id} class="note">
          <div class="finding-head">
            <strong>{row.record.act}</strong>
            <span class="quiet">{shortDid(row.record.actor)}</span>
            <span class="quiet small">{row.arrived_at && <Time at={row.arrived_at} />}</span>
          </div>
          {textOf(row) && <p>{textOf(row)}</p>}
          <details>
            <summary>
              <code>{row.id.slice(0, 16)}</code> {texts.records.inThread} {row.record.thread || texts.records.unnamed}
            </summary>
            <pre class="log" tabIndex={0} aria-label={row.id}>
              {JSON.stringify(row.record, null, 2)}
            </pre>
          </details>
        </li>
      ))}
    </ul>
  );
}

/** What a person has written, where there is something. */
function textOf({ record: { body } }: RecordRow): string {
  const text = (body as { text?: unknown } | null | undefined)?.text;
  return typeof text === "string" ? text : "";
}
