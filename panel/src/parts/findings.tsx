import { texts } from "../texts";
import type { Finding } from "../types";
import { State } from "./states";

const ORDER = { stop: 0, warn: 1, ok: 2 } as const;

/** Stops first, each with what to do; what is well is folded away. */
export function Findings({ findings }: { findings: Finding[] }) {
  const sorted = [...findings].sort((a, b) => ORDER[a.status] - ORDER[b.status]);
  const open = sorted.filter((finding) => finding.status !== "ok");
  const well = sorted.filter((finding) => finding.status === "ok");
  return (
    <div class="findings">
      {open.length > 0 && (
        <ul class="findings">
          {open.map((finding, i) => (
            <li key={i} class={`note ${finding.status}`}>
              <div class="finding-head">
                <State tone={finding.status}>{texts.findings[finding.status]}</State>
                <strong>{finding.subject || finding.check}</strong>
                <span class="quiet small">{finding.check}</span>
              </div>
              <p>{finding.message}</p>
              {finding.hint && <p>{finding.hint}</p>}
            </li>
          ))}
        </ul>
      )}
      {well.length > 0 && (
        <details>
          <summary>{texts.findings.well(well.length)}</summary>
          <ul class="findings">
            {well.map((finding, i) => (
              <li key={i}>
                <State tone="ok">{finding.subject || finding.check}</State> <span class="quiet">{finding.message}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
