import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { isOver } from "../jobs";
import { KeyFields } from "../parts/key-fields";
import { Card, Page } from "../parts/page";
import { ErrorNote, Loaded, Time } from "../parts/states";
import { go, link, type Place } from "../router";
import { texts } from "../texts";
import type { Job } from "../types";
import { RestoreCheck } from "./restore-check";
import { RestoreDrop } from "./restore-drop";
import { beginPreflight, restorePath } from "./restore-plan";
import { RestoreRun } from "./restore-run";

const STEPS = ["choose", "check", "run"] as const;
type Step = (typeof STEPS)[number];

export default function RestorePage({ place }: { place: Place }) {
  const job = place.query.get("job");
  const backup = place.query.get("backup");
  if (job) return <OfJob key={job} id={job} isChanged={place.query.has("changed")} />;
  return <Frame step="choose">{backup ? <FromBackup id={backup} /> : <Begin />}</Frame>;
}

function Frame({ step, children }: { step: Step; children: ComponentChildren }) {
  const r = texts.restore;
  return (
    <Page title={texts.pages.restore} lead={r.lead}>
      <ol class="steps">
        {STEPS.map((name, i) => (
          <li key={name} aria-current={name === step ? "step" : undefined}>
            {i + 1}. {r.steps[name]}
          </li>
        ))}
      </ol>
      {children}
      {step !== "choose" && (
        <p>
          <a href={link("restore")}>{r.another}</a>
        </p>
      )}
    </Page>
  );
}

/** The page finds again what goes on, and what waits for a decision. */
function Begin() {
  const jobs = useAsked(api.jobs);
  const mine = (jobs.data ?? []).filter((job) => job.kind === "preflight" || job.kind === "restore");
  const running = mine.find((job) => !isOver(job));
  useEffect(() => {
    if (running) go(restorePath(running.id), true);
  }, [running?.id]);
  const waiting = undecided(mine);
  return (
    <>
      {waiting && (
        <p class="note">
          {texts.restore.undecided(waiting.subject)} <Time at={waiting.ended_at} />.{" "}
          <a href={`/-/${restorePath(waiting.id)}`}>{texts.restore.goOn}</a>
        </p>
      )}
      <RestoreDrop />
    </>
  );
}

function undecided(jobs: Job[]): Job | undefined {
  const restored = new Set(jobs.filter((job) => job.kind === "restore").map((job) => job.request["preflight"]));
  return jobs
    .filter((job) => job.kind === "preflight" && job.state === "done" && !restored.has(job.id))
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))[0];
}

function FromBackup({ id }: { id: string }) {
  const asked = useAsked(() => api.backup(id), id);
  const doing = useDoing();
  const r = texts.restore;
  return (
    <Loaded asked={asked} lines={4}>
      {(backup) => (
        <Card title={backup.name} lead={r.fromBackup}>
          {backup.encryption === "none" ? (
            <button
              type="button"
              class="button main"
              disabled={doing.busy}
              onClick={() => doing.run(() => beginPreflight({ backup: id }, {}, {}))}
            >
              {r.check}
            </button>
          ) : (
            <KeyFields
              wanted={backup.encryption === "passphrase" ? "passphrase" : "identity"}
              busy={doing.busy}
              action={r.check}
              onKey={(key) => doing.run(() => beginPreflight({ backup: id }, key, {}))}
            />
          )}
          <ErrorNote error={doing.error} />
        </Card>
      )}
    </Loaded>
  );
}

function OfJob({ id, isChanged }: { id: string; isChanged: boolean }) {
  const asked = useAsked(() => api.job(id), id);
  const isRestore = asked.data?.kind === "restore";
  return (
    <Frame step={isRestore ? "run" : "check"}>
      {isChanged && (
        <p class="note warn" role="status">
          {texts.restore.planChanged}
        </p>
      )}
      <Loaded asked={asked}>{(job) => (isRestore ? <RestoreRun id={job.id} /> : <RestoreCheck id={job.id} />)}</Loaded>
    </Frame>
  );
}
