import { hintInPanel } from "../hints";
import { texts } from "../texts";
import type { Finding } from "../types";
import { State } from "./states";

const ORDER = { stop: 0, warn: 1, ok: 2 } as const;

/** Findings that say the same of several things, as one. */
interface Group extends Finding {
  subjects: string[];
}

function grouped(findings: Finding[]): Group[] {
  const groups = new Map<string, Group>();
  for (const finding of findings) {
    // What differs by the name alone says the same.
    const told = (text: string) => (finding.subject ? text.replaceAll(finding.subject, "\0") : text);
    const key = [finding.check, finding.status, told(finding.message), told(finding.hint)].join("\n");
    const group = groups.get(key);
    if (group) group.subjects.push(finding.subject);
    else groups.set(key, { ...finding, subjects: [finding.subject] });
  }
  return [...groups.values()];
}

/** Stops first, each with what to do; what is well is folded away. */
export function Findings({ findings }: { findings: Finding[] }) {
  const open = grouped(findings.filter((finding) => finding.status !== "ok")).sort(
    (a, b) => ORDER[a.status] - ORDER[b.status],
  );
  const well = findings.filter((finding) => finding.status === "ok");
  return (
    <div class="findings">
      {open.length > 0 && (
        <ul class="findings">
          {open.map((finding, i) => (
            <li key={i} class={`note ${finding.status}`}>
              <div class="finding-head">
                <State tone={finding.status}>{texts.findings[finding.status]}</State>
                <strong>{finding.subjects.filter(Boolean).join(", ") || finding.check}</strong>
                {finding.subject && <span class="quiet small">{finding.check}</span>}
              </div>
              <p>{texts.sentence(finding.message)}</p>
              {finding.hint && <p class="quiet">{texts.sentence(hintInPanel(finding.hint))}</p>}
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
