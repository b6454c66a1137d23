import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Check, Radios, Select } from "../parts/field";
import { Card } from "../parts/page";
import { JobView } from "../parts/progress";
import { ErrorNote } from "../parts/states";
import { go, link } from "../router";
import { texts } from "../texts";
import type { BackupResult, Job, Recipient } from "../types";
import { bytesText, pauseText } from "../units";

interface BackUpNowProps {
  recipients: Recipient[];
  job: string | null;
  onEnd: () => void;
}

export function BackUpNow({ recipients, job, onEnd }: BackUpNowProps) {
  const b = texts.backups;
  return (
    <Card title={b.now}>
      {job ? (
        <JobView id={job} onEnd={onEnd}>
          {(ended) => <Made job={ended} />}
        </JobView>
      ) : (
        <NowForm recipients={recipients} />
      )}
    </Card>
  );
}

function NowForm({ recipients }: { recipients: Recipient[] }) {
  const contexts = useAsked(api.contexts);
  const [context, setContext] = useState("");
  const [without, setWithout] = useState<string[]>([]);
  const overview = useAsked(api.overview);
  const [protection, setProtection] = useState<"keys" | "plaintext">(recipients.length > 0 ? "keys" : "plaintext");
  const doing = useDoing();
  const b = texts.backups;
  const begin = () =>
    doing.run(async () => {
      const { id } = await api.begin({
        kind: "backup",
        ...(context ? { context } : {}),
        ...(without.length > 0 ? { without } : {}),
        ...(protection === "keys" ? { recipients: recipients.map((key) => key.recipient) } : { plaintext: true }),
      });
      go(`backups?job=${encodeURIComponent(id)}`);
    });
  const everything = [["", b.everything] as const];
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void begin();
      }}
    >
      <div class="form-row">
        <Select
          label={b.what}
          value={context}
          options={everything.concat(
            (contexts.data ?? []).map((row) => [row.name as "", b.contextOnly(row.name)] as const),
          )}
          onValue={setContext}
        />
        <Radios
          label={b.protection}
          value={protection}
          options={[
            ["keys", b.withKeys(recipients.length)],
            ["plaintext", b.plaintext],
          ]}
          onValue={setProtection}
        />
      </div>
      {recipients.length === 0 && <p class="note warn">{b.noKeyWarning}</p>}
      <details>
        <summary>{b.leaveOut(without.length)}</summary>
        <fieldset class="form">
          <legend class="hidden">{b.leaveOut(0)}</legend>
          {(overview.data?.services ?? []).map(({ name }) => (
            <Check
              key={name}
              checked={without.includes(name)}
              onChecked={(checked) =>
                setWithout(checked ? [...without, name] : without.filter((other) => other !== name))
              }
            >
              {name}
            </Check>
          ))}
        </fieldset>
      </details>
      <ErrorNote error={doing.error} />
      <div class="row">
        <button
          type="submit"
          class="button main"
          disabled={doing.busy || (protection === "keys" && recipients.length === 0)}
        >
          {b.begin}
        </button>
      </div>
    </form>
  );
}

function Made({ job }: { job: Job }) {
  const result = job.result as BackupResult;
  const b = texts.backups;
  return (
    <p class="note ok">
      {b.made(bytesText(result.bytes), pauseText(result.pause_ms), texts.consistency[result.consistency])}{" "}
      <a href={link("backups", result.backup)}>{b.look}</a>
    </p>
  );
}
