import { api } from "../api";
import { useAsked } from "../asking";
import type { PageName } from "../pages";
import { Findings } from "../parts/findings";
import { Card, Page } from "../parts/page";
import { JobState } from "../parts/progress";
import { ServiceTable } from "../parts/service-table";
import { Loaded, Time } from "../parts/states";
import { usePolling } from "../polling";
import { go, link, type Place } from "../router";
import { texts } from "../texts";
import type { Job, JobKind, Overview } from "../types";
import { bytesText, countText } from "../units";

const AGAIN_MS = 10_000;
const FIRST = "first";

export default function OverviewPage({ place }: { place: Place }) {
  const asked = useAsked(api.overview);
  usePolling(asked.again, AGAIN_MS);
  const o = texts.overview;
  const asksFirst = place.hash === FIRST || (asked.data !== null && isUntouched(asked.data));
  if (asksFirst && asked.data) return <FirstChoice overview={asked.data} />;
  return (
    <Page
      title={texts.pages.overview}
      actions={
        <a class="button main" href={`${link("backups")}#now`}>
          {o.backUp}
        </a>
      }
    >
      <Loaded asked={asked} lines={9}>
        {(overview) => (
          <>
            <Figures overview={overview} />
            {overview.findings.some((finding) => finding.status !== "ok") && (
              <Card title={o.attention}>
                <Findings findings={overview.findings.filter((finding) => finding.status !== "ok")} />
              </Card>
            )}
            {overview.jobs.length > 0 && <Jobs jobs={overview.jobs} />}
            <Card title={texts.pages.services} tight actions={<a href={link("catalog")}>{o.install}</a>}>
              <ServiceTable services={overview.services} />
            </Card>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function isUntouched(overview: Overview): boolean {
  return overview.services.length === 0 && overview.backups.count === 0 && overview.instance.record_count === 0;
}

/** After a claim: begin new, or bring back what there was. */
function FirstChoice({ overview }: { overview: Overview }) {
  const first = texts.overview.first;
  const hasServices = overview.services.length > 0;
  return (
    <Page title={first.title} lead={first.lead}>
      <div class="choices">
        <section class="card choice">
          <h2>{hasServices ? first.goOn : first.beginNew}</h2>
          <p class="quiet">{hasServices ? first.goOnText(overview.services.length) : first.beginNewText}</p>
          <button type="button" class="button main" onClick={() => go(hasServices ? "overview" : "catalog", true)}>
            {hasServices ? first.goOnAction : first.beginNewAction}
          </button>
        </section>
        <section class="card choice">
          <h2>{first.restore}</h2>
          <p class="quiet">{first.restoreText}</p>
          <a class="button main" href={link("restore")}>
            {first.restoreAction}
          </a>
        </section>
      </div>
    </Page>
  );
}

function Figures({ overview }: { overview: Overview }) {
  const { instance, services, backups } = overview;
  const o = texts.overview;
  const running = services.filter((service) => service.state === "running").length;
  const bytes = services.reduce((sum, service) => sum + (service.bytes ?? 0), 0);
  return (
    <dl class="figure-row">
      <div>
        <dt>{texts.pages.services}</dt>
        <dd>{o.running(running, services.length)}</dd>
      </div>
      <div>
        <dt>{o.state}</dt>
        <dd>
          {bytesText(bytes)} <small>{o.free(bytesText(instance.disk_free_bytes))}</small>
        </dd>
      </div>
      <div>
        <dt>{o.lastBackup}</dt>
        <dd>
          <Time at={backups.last_at} />{" "}
          <small>
            {backups.next_at ? (
              <>
                {o.next} <Time at={backups.next_at} />
              </>
            ) : (
              o.noSchedule
            )}
          </small>
        </dd>
      </div>
      <div>
        <dt>{texts.pages.records}</dt>
        <dd>
          {countText(instance.record_count)} <small>{o.threads(instance.thread_count)}</small>
        </dd>
      </div>
    </dl>
  );
}

function Jobs({ jobs }: { jobs: Job[] }) {
  return (
    <Card title={texts.jobs.heading}>
      <ul class="findings">
        {jobs.map((job) => (
          <li key={job.id} class="row between">
            <a href={jobLink(job)}>{texts.jobs.title(job.kind, job.subject)}</a>
            <JobState job={job} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

const JOB_PAGES: Partial<Record<JobKind, PageName>> = {
  install: "catalog",
  backup: "backups",
  preflight: "restore",
  restore: "restore",
};

/** The page from which such a job is begun: there it can be begun again. */
function jobLink(job: Job): string {
  return `${link(JOB_PAGES[job.kind] ?? "activity")}?job=${encodeURIComponent(job.id)}`;
}
