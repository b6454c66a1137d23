import { useState } from "preact/hooks";
import { api, asApiError, errorOf } from "../api";
import { useAsked, useDoing } from "../asking";
import { Findings } from "../parts/findings";
import { SummaryFacts } from "../parts/bundle-facts";
import { TextField } from "../parts/field";
import { KeyFields } from "../parts/key-fields";
import { Card } from "../parts/page";
import { JobView } from "../parts/progress";
import { SecretFields } from "../parts/secret-fields";
import { ErrorNote } from "../parts/states";
import { go } from "../router";
import { texts } from "../texts";
import type { BundleKey, Finding, ImportOptions, Job, PreflightResult } from "../types";
import { bytesText } from "../units";
import { catalogPath } from "./catalog-choice";
import { RestoreOptions } from "./restore-options";
import { beginPreflight, isSame, keyOf, optionsOf, restorePath, sourceOf } from "./restore-plan";

/** The report of the pre-flight, what is asked before the restore, and its beginning. */
export function RestoreCheck({ id }: { id: string }) {
  return (
    <JobView id={id} key={id}>
      {(job) => <Report job={job} result={job.result as PreflightResult} />}
    </JobView>
  );
}

function Report({ job, result }: { job: Job; result: PreflightResult }) {
  const [options, setOptions] = useState<ImportOptions>(optionsOf(job));
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const [asksKey, setAsksKey] = useState(false);
  const [isChanged, setIsChanged] = useState(false);
  const doing = useDoing();
  const r = texts.restore;
  const source = sourceOf(job);
  const found = result.preflight.filter((finding) => finding.status === "stop").length;
  // A refusal that no finding tells of stands in the way, too.
  const refusal = found === 0 && result.error ? errorOf(result.error) : null;
  const stops = found + (refusal ? 1 : 0);
  const missing = undeclared(result.preflight);
  const isChecked = isSame(options, optionsOf(job));
  const entered = Object.entries(secrets).filter(([, value]) => value !== "");

  const check = async (key: BundleKey, afterChange: boolean) => {
    for (const [handle, value] of entered) await api.setSecret(handle, value);
    await beginPreflight(source, key, options, afterChange);
  };
  const checkAgain = async (afterChange: boolean) => {
    const key = result.bundle.encryption === "none" ? {} : keyOf(source);
    if (key) return check(key, afterChange);
    setIsChanged(afterChange);
    setAsksKey(true);
  };
  const restore = () =>
    doing.run(async () => {
      try {
        const begun = await api.begin({ kind: "restore", preflight: job.id, plan_sha256: result.plan_sha256 });
        go(restorePath(begun.id));
      } catch (error) {
        if (asApiError(error).code !== "PLAN_CHANGED") throw error;
        await checkAgain(true);
      }
    });

  return (
    <>
      <Card title={r.report} lead={stops > 0 ? r.reportStops(stops) : r.reportWell}>
        <div class="findings">
          {missing.length > 0 && <InstallMissing services={missing} job={job.id} />}
          <ErrorNote error={refusal} />
          <Findings findings={result.preflight} />
        </div>
      </Card>
      {result.secrets_missing.length > 0 && (
        <Card title={r.secrets} lead={r.secretsText}>
          <div class="form">
            <SecretFields secrets={result.secrets_missing} values={secrets} onValues={setSecrets} />
          </div>
        </Card>
      )}
      <Card title={r.bundle}>
        <SummaryFacts bundle={result.bundle} />
        <p class="quiet small">{r.room(bytesText(result.bytes_needed), bytesText(result.bytes_free))}</p>
      </Card>
      <Card title={r.choices} lead={r.choicesText}>
        <RestoreOptions bundle={result.bundle} options={options} onOptions={setOptions} />
      </Card>
      <Card title={r.confirm}>
        <div class="form">
          {isChanged && <p class="note warn">{r.planChanged}</p>}
          {asksKey && (
            <KeyFields
              wanted={result.bundle.encryption === "passphrase" ? "passphrase" : "identity"}
              busy={doing.busy}
              action={r.checkAgain}
              onKey={(key) => doing.run(() => check(key, isChanged))}
            />
          )}
          <ErrorNote error={doing.error} />
          {stops === 0 && isChecked && entered.length === 0 ? (
            <Confirmation replaces={result.replaces} busy={doing.busy} onRestore={restore} />
          ) : (
            <p>{stops > 0 && isChecked && entered.length === 0 ? r.stopsFirst : r.checkChanged}</p>
          )}
          {!asksKey && (
            <div class="row">
              <button
                type="button"
                class="button"
                disabled={doing.busy}
                onClick={() => doing.run(() => checkAgain(false))}
              >
                {entered.length > 0 ? r.saveAndCheck : r.checkAgain}
              </button>
            </div>
          )}
        </div>
      </Card>
    </>
  );
}

/** Services of the bundle that this home does not declare. */
function undeclared(findings: Finding[]): string[] {
  return findings.filter(({ check, status }) => check === "service" && status === "stop").map(({ subject }) => subject);
}

/** Those that the catalog has are a link away; the way back is there, too. */
function InstallMissing({ services, job }: { services: string[]; job: string }) {
  const catalog = useAsked(api.catalog);
  const found = (catalog.data ?? []).filter((row) => !row.installed && services.includes(row.name));
  if (found.length === 0) return null;
  const names = found.map((row) => row.name);
  return (
    <div class="note row between">
      <span>{texts.restore.inCatalog(names)}</span>
      <a class="button main" href={`/-/${catalogPath({ choose: names.join(","), restore: job })}`}>
        {texts.catalog.heading(names.length)}
      </a>
    </div>
  );
}

interface ConfirmationProps {
  replaces: string[];
  busy: boolean;
  onRestore: () => void;
}

/** What is replaced is typed by name. */
function Confirmation({ replaces, busy, onRestore }: ConfirmationProps) {
  const [typed, setTyped] = useState<Record<string, string>>({});
  const r = texts.restore;
  const isReady = replaces.every((name) => typed[name] === name);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) onRestore();
      }}
    >
      <p>{replaces.length > 0 ? r.replaces : r.replacesNothing}</p>
      {replaces.map((name) => (
        <TextField
          key={name}
          label={texts.typeName(name)}
          value={typed[name] ?? ""}
          onValue={(value) => setTyped({ ...typed, [name]: value })}
        />
      ))}
      <div class="row">
        <button type="submit" class="button main" disabled={!isReady || busy}>
          {r.restore}
        </button>
      </div>
    </form>
  );
}
