import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Check, Select, TextField } from "../parts/field";
import { ErrorNote } from "../parts/states";
import { isZone, zoneNames } from "../schedule";
import { texts } from "../texts";
import type { Every, Keep, Recipient, Schedule } from "../types";
import { Runs } from "./schedules";

interface ScheduleFormProps {
  schedule: Schedule | null;
  recipients: Recipient[];
  onClose: () => void;
  onSaved: () => void;
}

const KEEP: Keep = { last: 3, daily: 7, weekly: 4, monthly: 12 };
const KEEP_NAMES = ["last", "daily", "weekly", "monthly"] as const;
const ZONES = "zones";

export function ScheduleForm({ schedule, recipients, onClose, onSaved }: ScheduleFormProps) {
  const contexts = useAsked(api.contexts);
  const [name, setName] = useState(schedule?.name ?? "nightly");
  const [at, setAt] = useState(schedule?.at ?? "03:30");
  const [zone, setZone] = useState(schedule?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [every, setEvery] = useState<Every>(schedule?.every ?? "day");
  const [context, setContext] = useState(schedule?.context ?? "");
  const [to, setTo] = useState(schedule?.to ?? "");
  const [keep, setKeep] = useState<Keep>(schedule?.keep ?? KEEP);
  const [plaintext, setPlaintext] = useState(schedule?.plaintext ?? false);
  const doing = useDoing();
  const s = texts.schedules;
  const unconfirmed = recipients.filter((key) => !key.confirmed_at);
  const ready = recipients.filter((key) => key.confirmed_at);
  const isBlocked = !plaintext && ready.length === 0;
  const save = () =>
    doing.run(async () => {
      await api.setSchedule(name, {
        at,
        zone,
        every,
        keep,
        plaintext,
        recipients: plaintext ? [] : ready.map((key) => key.recipient),
        ...(context ? { context } : {}),
        ...(to ? { to } : {}),
      });
      onSaved();
    });
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <div class="form-row">
        {!schedule && <TextField label={s.name} required value={name} onValue={setName} />}
        <Select label={s.every} value={every} options={s.everyKinds} onValue={setEvery} />
        <TextField
          label={s.at}
          hint={every === "hour" ? s.atHour : undefined}
          type="time"
          required
          value={at}
          onValue={setAt}
        />
        <TextField
          label={s.zone}
          required
          list={ZONES}
          value={zone}
          onValue={setZone}
          fault={isZone(zone) ? undefined : s.zoneUnknown}
        />
        <datalist id={ZONES}>
          {zoneNames().map((known) => (
            <option key={known} value={known} />
          ))}
        </datalist>
      </div>
      <div class="form-row">
        <Select
          label={texts.backups.what}
          value={context}
          options={[
            ["", texts.backups.everything],
            ...(contexts.data ?? []).map((row) => [row.name, texts.backups.contextOnly(row.name)] as const),
          ]}
          onValue={setContext}
        />
        <TextField label={s.to} hint={s.toHint} value={to} onValue={setTo} />
      </div>
      <fieldset>
        <legend>{s.keeps}</legend>
        <div class="form-row">
          {KEEP_NAMES.map((kind) => (
            <TextField
              key={kind}
              label={s.keepKinds[kind]}
              type="number"
              min={kind === "last" ? 1 : 0}
              required
              value={String(keep[kind])}
              onValue={(value) => setKeep({ ...keep, [kind]: Number(value) })}
            />
          ))}
        </div>
      </fieldset>
      <Check checked={plaintext} onChecked={setPlaintext}>
        {s.plaintext}
      </Check>
      {isBlocked && <p class="note warn">{unconfirmed.length > 0 ? s.confirmFirst : s.keyFirst}</p>}
      <div>
        <h3>{s.ahead}</h3>
        <Runs schedule={{ at, zone, every }} />
      </div>
      <ErrorNote error={doing.error} />
      <div class="row">
        <button type="submit" class="button main" disabled={doing.busy || isBlocked}>
          {s.save}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {texts.cancel}
        </button>
      </div>
    </form>
  );
}
