import { useState } from "preact/hooks";
import { api } from "../api";
import { useDoing } from "../asking";
import { Confirm } from "../parts/dialog";
import { Card } from "../parts/page";
import { ErrorNote, Time } from "../parts/states";
import { go, link } from "../router";
import { nextRuns } from "../schedule";
import { texts } from "../texts";
import type { Recipient, Schedule } from "../types";
import { ScheduleForm } from "./schedule-form";

interface SchedulesProps {
  schedules: Schedule[];
  recipients: Recipient[];
  again: () => void;
}

const RUNS_SHOWN = 5;

export function Schedules({ schedules, recipients, again }: SchedulesProps) {
  const [edits, setEdits] = useState<Schedule | "new" | null>(null);
  const s = texts.schedules;
  return (
    <Card
      title={s.heading}
      lead={s.lead}
      actions={
        edits === null && (
          <button type="button" class="button" onClick={() => setEdits("new")}>
            {s.add}
          </button>
        )
      }
    >
      <div class="form">
        {edits && (
          <ScheduleForm
            schedule={edits === "new" ? null : edits}
            recipients={recipients}
            onClose={() => setEdits(null)}
            onSaved={() => {
              setEdits(null);
              again();
            }}
          />
        )}
        {schedules.length === 0 && !edits && <p class="quiet">{s.none}</p>}
        {schedules.map((schedule) => (
          <ScheduleView key={schedule.name} schedule={schedule} again={again} onEdit={() => setEdits(schedule)} />
        ))}
      </div>
    </Card>
  );
}

interface ScheduleViewProps {
  schedule: Schedule;
  again: () => void;
  onEdit: () => void;
}

function ScheduleView({ schedule, again, onEdit }: ScheduleViewProps) {
  const [removes, setRemoves] = useState(false);
  const doing = useDoing();
  const s = texts.schedules;
  const runNow = () =>
    doing.run(async () => go(`backups?job=${encodeURIComponent((await api.runSchedule(schedule.name)).id)}`));
  return (
    <section class="entry">
      <div class="row between">
        <h3>{schedule.name}</h3>
        <span class="row">
          <button type="button" class="button bare" aria-label={s.runNamed(schedule.name)} onClick={runNow}>
            {s.run}
          </button>
          <button type="button" class="button bare" aria-label={s.editNamed(schedule.name)} onClick={onEdit}>
            {s.edit}
          </button>
          <button
            type="button"
            class="button bare"
            aria-label={s.removeNamed(schedule.name)}
            onClick={() => setRemoves(true)}
          >
            {s.remove}
          </button>
        </span>
      </div>
      {schedule.failure && <Failure schedule={schedule} again={again} />}
      <dl class="facts">
        <dt>{s.runs}</dt>
        <dd>{s.rule(schedule)}</dd>
        <dt>{s.keeps}</dt>
        <dd>{s.keep(schedule.keep)}</dd>
        <dt>{s.last}</dt>
        <dd>
          <Time at={schedule.last_at} />
        </dd>
        <dt>{s.ahead}</dt>
        <dd>
          <Runs schedule={schedule} />
        </dd>
      </dl>
      {!removes && <ErrorNote error={doing.error} />}
      {removes && (
        <Confirm
          title={s.removeTitle(schedule.name)}
          text={s.removeText}
          action={s.remove}
          busy={doing.busy}
          error={doing.error}
          onClose={() => setRemoves(false)}
          onConfirm={async () => {
            if (await doing.run(() => api.deleteSchedule(schedule.name))) again();
          }}
        />
      )}
    </section>
  );
}

export function Runs({ schedule }: { schedule: Pick<Schedule, "at" | "zone" | "every"> }) {
  const runs = nextRuns(schedule.at, schedule.zone, schedule.every, Date.now(), RUNS_SHOWN);
  if (runs.length === 0) return <>{texts.schedules.noRuns}</>;
  return (
    <ol class="figures">
      {runs.map((run) => (
        <li key={run}>
          <time dateTime={new Date(run).toISOString()}>{texts.time(run, schedule.zone)}</time>
        </li>
      ))}
    </ol>
  );
}

function Failure({ schedule, again }: { schedule: Schedule; again: () => void }) {
  const { failure } = schedule;
  const s = texts.schedules;
  if (!failure) return null;
  return (
    <div class="note stop">
      <p>
        <strong>{s.failed}</strong> <Time at={failure.at} />: {failure.error.message}{" "}
        <span class="code">{failure.error.code}</span>
      </p>
      {failure.error.hint && <p>{texts.sentence(failure.error.hint)}</p>}
      <p class="row">
        {failure.job !== "" && (
          <a href={`${link("activity")}?job=${encodeURIComponent(failure.job)}`}>{s.failedLook}</a>
        )}
        <button
          type="button"
          class="button"
          onClick={async () => {
            await api.readScheduleFailure(schedule.name);
            again();
          }}
        >
          {s.read}
        </button>
      </p>
    </div>
  );
}
