import { Card } from "../parts/page";
import { PreviousActions } from "../parts/previous";
import { JobView } from "../parts/progress";
import { State } from "../parts/states";
import { Table } from "../parts/table";
import { link } from "../router";
import { texts } from "../texts";
import type { RestoreResult } from "../types";
import { countText, durationText } from "../units";

export function RestoreRun({ id }: { id: string }) {
  return (
    <Card>
      <JobView id={id}>{(job) => <Restored result={job.result as RestoreResult} />}</JobView>
    </Card>
  );
}

interface CountRow {
  key: string;
  service: string;
  surface: string;
  context: string;
  what: string;
  bundle: number;
  here: number;
}

function countsOf(result: RestoreResult): CountRow[] {
  return result.services.flatMap((service) =>
    service.surfaces.flatMap((surface) =>
      surface.counts.map((count) => ({
        key: [service.name, surface.name, surface.context, count.what].join("/"),
        service: service.name,
        surface: surface.name,
        context: surface.context ?? "",
        ...count,
      })),
    ),
  );
}

function Restored({ result }: { result: RestoreResult }) {
  const r = texts.restore;
  const counts = countsOf(result);
  return (
    <>
      <p class="note ok">
        {r.restored(durationText(result.seconds * 1000))}{" "}
        {r.restoredRecords(countText(result.records_inspected), countText(result.records_inserted))}{" "}
        {r.identityOutcome[result.identity]}
      </p>
      {counts.length > 0 && <Counts counts={counts} />}
      <ul class="findings">
        {result.services.map((service) => (
          <ServiceLine key={service.name} service={service} />
        ))}
      </ul>
      <p>
        <a class="button main" href={link("overview")}>
          {r.toOverview}
        </a>
      </p>
    </>
  );
}

/** Folded away where all is as promised; what differs comes first. */
function Counts({ counts }: { counts: CountRow[] }) {
  const r = texts.restore;
  const differing = counts.filter((row) => row.bundle !== row.here);
  const others = counts.filter((row) => row.bundle === row.here);
  return (
    <details open={differing.length > 0}>
      <summary>
        {differing.length > 0 ? (
          <State tone="stop">{r.countsDiffer(differing.length, counts.length)}</State>
        ) : (
          r.countsWell(counts.length)
        )}
      </summary>
      <Table
        scrolls
        caption={r.counts}
        rows={[...differing, ...others]}
        keyOf={(row) => row.key}
        columns={[
          { head: texts.words.service, cell: (row) => row.service },
          { head: texts.words.surface, cell: (row) => [row.surface, row.context].filter(Boolean).join(" / ") },
          { head: r.counted, cell: (row) => row.what },
          { head: r.promised, kind: "number", cell: (row) => countText(row.bundle) },
          {
            head: r.found,
            kind: "number",
            cell: (row) => <State tone={row.bundle === row.here ? "ok" : "stop"}>{countText(row.here)}</State>,
          },
        ]}
      />
    </details>
  );
}

/** Where the service is now, and what it had before. */
function ServiceLine({ service }: { service: RestoreResult["services"][number] }) {
  return (
    <li class="entry">
      <div class="row between">
        <a href={link("services", service.name)}>{service.name}</a>
        {service.address && (
          <a href={service.address} aria-label={texts.services.openNamed(service.name)}>
            {texts.words.open}
          </a>
        )}
      </div>
      {service.previous.map((context) => (
        <div key={context} class="row between">
          <span class="quiet">{texts.previous.kept(context)}</span>
          <PreviousActions service={service.name} context={context} />
        </div>
      ))}
    </li>
  );
}
