import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Card, Page } from "../parts/page";
import { JobState, JobView } from "../parts/progress";
import { Empty, ErrorNote, Loaded, State, Time } from "../parts/states";
import { Table } from "../parts/table";
import { usePolling } from "../polling";
import { link, type Place } from "../router";
import { texts } from "../texts";
import type { ActivityPage } from "../types";

const TONES = { done: "ok", failed: "stop", refused: "warn" } as const;
const AGAIN_MS = 10_000;

export default function ActivityPageView({ place }: { place: Place }) {
  const jobs = useAsked(api.jobs);
  usePolling(jobs.again, AGAIN_MS);
  const job = place.query.get("job");
  const a = texts.activity;
  return (
    <Page title={texts.pages.activity} lead={a.lead}>
      {job && (
        <Card>
          <JobView key={job} id={job} onEnd={() => jobs.again()} />
        </Card>
      )}
      <Loaded asked={jobs} lines={3}>
        {(rows) =>
          rows.length > 0 && (
            <Card tight title={texts.jobs.heading}>
              <Table
                caption={texts.jobs.heading}
                rows={rows}
                keyOf={(row) => row.id}
                columns={[
                  {
                    head: texts.jobs.job,
                    cell: (row) => (
                      <a href={`${link("activity")}?job=${encodeURIComponent(row.id)}`}>
                        {texts.jobs.title(row.kind, row.subject)}
                      </a>
                    ),
                  },
                  { head: texts.words.state, cell: (row) => <JobState job={row} /> },
                  {
                    head: texts.words.time,
                    cell: (row) => <Time at={row.ended_at ?? row.started_at ?? row.created_at} />,
                  },
                ]}
              />
            </Card>
          )
        }
      </Loaded>
      <Entries />
    </Page>
  );
}

function Entries() {
  const first = useAsked(() => api.activity());
  const [more, setMore] = useState<ActivityPage | null>(null);
  const doing = useDoing();
  const a = texts.activity;
  return (
    <Loaded asked={first} lines={8}>
      {(page) => {
        const last = more ?? page;
        const entries = more ? [...page.entries, ...more.entries] : page.entries;
        const onMore = () =>
          doing.run(async () => {
            const next = await api.activity(last.cursor);
            setMore({ ...next, entries: [...(more?.entries ?? []), ...next.entries] });
          });
        if (entries.length === 0) return <Empty title={a.none} text={a.noneText} />;
        return (
          <>
            <Card tight title={a.heading}>
              <Table
                caption={a.heading}
                rows={entries}
                keyOf={(entry) => entry.at + entry.action + entry.subject}
                columns={[
                  { head: a.action, cell: (entry) => [entry.action, entry.subject].filter(Boolean).join(" ") },
                  {
                    head: a.outcome,
                    cell: (entry) => <State tone={TONES[entry.outcome]}>{a.outcomes[entry.outcome]}</State>,
                  },
                  { head: a.note, cell: (entry) => entry.message },
                  { head: a.who, cell: (entry) => entry.who },
                  { head: texts.words.time, cell: (entry) => <Time at={entry.at} /> },
                ]}
              />
            </Card>
            <ErrorNote error={doing.error} />
            {last.has_more && (
              <div class="row">
                <button type="button" class="button" disabled={doing.busy} onClick={onMore}>
                  {texts.more}
                </button>
              </div>
            )}
          </>
        );
      }}
    </Loaded>
  );
}
