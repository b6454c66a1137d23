import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { useDoing } from "../asking";
import { errorOfJob, isOver, useJob } from "../jobs";
import { percentOf } from "../rate";
import { texts } from "../texts";
import type { Job } from "../types";
import { durationText } from "../units";
import { Confirm } from "./dialog";
import { ErrorNote, State } from "./states";

interface ProgressProps {
  label: string;
  done: number | null;
  total: number | null;
  unit: string | null;
  rate: number | null;
  leftMs: number | null;
  isDone?: boolean;
}

/** The bar with percent, amount, rate and time left. Where the total is not known it says how much there was. */
export function Progress({ label, done, total, unit, rate, leftMs, isDone = false }: ProgressProps) {
  const percent = percentOf(done, total, isDone);
  const left = leftMs ?? (rate && done !== null && total !== null ? ((total - done) / rate) * 1000 : null);
  return (
    <div class="progress">
      <progress aria-label={label} max={100} {...(percent === null ? {} : { value: percent })} />
      <div class="row">
        <span class="percent">{percent === null ? "" : `${percent} %`}</span>
        {done !== null && <span>{texts.amount(done, total, unit)}</span>}
        {rate !== null && <span class="quiet">{texts.rate(rate, unit)}</span>}
        {!isDone && left !== null && <span class="quiet">{texts.left(durationText(left))}</span>}
      </div>
    </div>
  );
}

const TONES = {
  done: "ok",
  failed: "stop",
  interrupted: "stop",
  cancelled: "warn",
  waiting: undefined,
  running: undefined,
} as const;

export function JobState({ job }: { job: Job }) {
  return <State tone={TONES[job.state]}>{texts.jobs.states[job.state]}</State>;
}

interface JobViewProps {
  id: string;
  onEnd?: (job: Job) => void;
  /** Begins it once more, where it has failed. */
  onAgain?: (job: Job) => void;
  /** What is shown once it is done. */
  children?: (job: Job) => ComponentChildren;
}

export function JobView({ id, onEnd, onAgain, children }: JobViewProps) {
  const { job, event, rate, notes, error } = useJob(id, onEnd);
  const [asks, setAsks] = useState(false);
  const doing = useDoing();
  if (!job) return <ErrorNote error={error} />;
  const over = isOver(job);
  const phase = event?.phase ?? texts.jobs.states[job.state];
  const place = [event?.service, event?.surface].filter(Boolean).join(" / ");
  return (
    <div class="form">
      <div class="row between">
        <h2>{texts.jobs.title(job.kind, job.subject)}</h2>
        {over ? (
          <JobState job={job} />
        ) : (
          <button type="button" class="button" onClick={() => setAsks(true)}>
            {texts.jobs.cancel}
          </button>
        )}
      </div>
      {!over && (
        <p aria-live="polite">
          {phase}
          {place && <span class="quiet"> · {place}</span>}
        </p>
      )}
      {(!over || job.state === "done") && (
        <Progress
          label={texts.jobs.title(job.kind, job.subject)}
          done={over ? null : (event?.done ?? null)}
          total={event?.total ?? null}
          unit={event?.unit ?? null}
          rate={over ? null : rate}
          leftMs={over ? null : (event?.eta_ms ?? null)}
          isDone={over}
        />
      )}
      {!over && <ErrorNote error={error} />}
      <ErrorNote error={errorOfJob(job)} {...(onAgain ? { again: () => onAgain(job) } : {})} />
      {notes.length > 0 && (
        <details>
          <summary>{texts.jobs.notes(notes.length)}</summary>
          <pre class="log">{notes.join("\n")}</pre>
        </details>
      )}
      {job.state === "done" && children?.(job)}
      {asks && (
        <Confirm
          title={texts.jobs.cancelTitle}
          text={texts.jobs.cancelText}
          action={texts.jobs.cancel}
          busy={doing.busy}
          error={doing.error}
          onClose={() => setAsks(false)}
          onConfirm={async () => {
            if (await doing.run(() => api.cancelJob(id))) setAsks(false);
          }}
        />
      )}
    </div>
  );
}
