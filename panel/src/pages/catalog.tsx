import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Check } from "../parts/field";
import { Card, Page } from "../parts/page";
import { JobView } from "../parts/progress";
import { SecretFields, secretsToEnter } from "../parts/secret-fields";
import { Empty, ErrorNote, Loaded, State } from "../parts/states";
import { go, link, type Place } from "../router";
import { texts } from "../texts";
import type { CatalogRow, InstallResult, Job } from "../types";
import { catalogPath, chosenWithNeeds } from "./catalog-choice";
import { restorePath } from "./restore-plan";

export default function CatalogPage({ place }: { place: Place }) {
  const asked = useAsked(api.catalog);
  const job = place.query.get("job");
  const restore = place.query.get("restore") ?? "";
  const doing = useDoing();
  const c = texts.catalog;
  const toJob = (id: string) => go(catalogPath({ job: id, restore }));
  return (
    <Page title={texts.pages.catalog} lead={c.lead}>
      {job && (
        <Card>
          <JobView
            key={job}
            id={job}
            onEnd={() => asked.again()}
            onAgain={(failed) => void doing.run(async () => toJob(await installAgain(failed)))}
          >
            {(ended) => <Installed job={ended} restore={restore} />}
          </JobView>
          <ErrorNote error={doing.error} />
        </Card>
      )}
      <Loaded asked={asked} lines={10}>
        {(rows) =>
          rows.length > 0 ? (
            <Choice
              key={place.query.get("choose") ?? ""}
              rows={rows}
              first={place.query.get("choose")?.split(",") ?? []}
              starts={restore === ""}
              onBegun={toJob}
            />
          ) : (
            <Empty title={c.none} text={c.noneText} />
          )
        }
      </Loaded>
    </Page>
  );
}

/** What was fetched is there, and its secrets are set: a retry goes on. */
async function installAgain({ request }: Job): Promise<string> {
  const services = request["services"] as string[];
  return (await api.begin({ kind: "install", services, secrets: {}, start: request["start"] === true })).id;
}

interface ChoiceProps {
  rows: CatalogRow[];
  /** Chosen when the page comes. */
  first: string[];
  /** What is to be restored is not started before. */
  starts: boolean;
  onBegun: (job: string) => void;
}

function Choice({ rows, first, starts, onBegun }: ChoiceProps) {
  const [chosen, setChosen] = useState<string[]>(
    first.filter((name) => rows.some((row) => row.name === name && !row.installed)),
  );
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const [start, setStart] = useState(starts);
  const doing = useDoing();
  const c = texts.catalog;
  const wanted = chosenWithNeeds(rows, chosen);
  const missing = secretsToEnter(wanted.flatMap((row) => row.secrets));
  const install = () =>
    doing.run(async () => {
      const values = Object.fromEntries(
        missing.map(({ handle }) => [handle, secrets[handle] ?? ""]).filter(([, value]) => value !== ""),
      );
      const { id } = await api.begin({ kind: "install", services: chosen, secrets: values, start });
      setChosen([]);
      setSecrets({});
      onBegun(id);
    });
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void install();
      }}
    >
      <fieldset>
        <legend class="hidden">{texts.pages.catalog}</legend>
        <div class="columns">
          {rows.map((row) => (
            <section key={row.name} class="card option">
              <Check
                checked={row.installed || wanted.includes(row)}
                disabled={row.installed || (wanted.includes(row) && !chosen.includes(row.name))}
                onChecked={(checked) =>
                  setChosen(checked ? [...chosen, row.name] : chosen.filter((name) => name !== row.name))
                }
              >
                <strong>{row.name}</strong> <span class="quiet">{row.version}</span>
              </Check>
              <p>{row.summary}</p>
              <p class="small quiet">
                {row.installed ? <State tone="ok">{c.installed}</State> : c.download(row.download_bytes)}
                {row.after.length > 0 && ` · ${c.with(row.after)}`}
              </p>
            </section>
          ))}
        </div>
      </fieldset>
      <Card title={c.heading(wanted.length)}>
        <div class="form">
          {wanted.length === 0 ? (
            <p class="quiet">{c.chooseFirst}</p>
          ) : (
            <p>
              {c.summary(
                wanted.map((row) => row.name),
                sumOf(wanted),
              )}
            </p>
          )}
          {missing.length > 0 && (
            <>
              <p class="quiet">{c.secretsText}</p>
              <SecretFields secrets={missing} values={secrets} onValues={setSecrets} />
            </>
          )}
          <Check checked={start} onChecked={setStart}>
            {c.start}
          </Check>
          <ErrorNote error={doing.error} />
          <div class="row">
            <button type="submit" class="button main" disabled={wanted.length === 0 || doing.busy}>
              {c.install}
            </button>
          </div>
        </div>
      </Card>
    </form>
  );
}

function sumOf(rows: CatalogRow[]): number {
  return rows.reduce((sum, row) => sum + (row.download_bytes ?? 0), 0);
}

function Installed({ job, restore }: { job: Job; restore: string }) {
  const result = job.result as InstallResult;
  const c = texts.catalog;
  return (
    <>
      <ul class="findings">
        {result.services.map((service) => (
          <li key={service.name} class="row between">
            <a href={link("services", service.name)}>{service.name}</a>
            <span>
              {service.message ?? service.state} {service.address && <a href={service.address}>{texts.words.open}</a>}
            </span>
          </li>
        ))}
      </ul>
      {result.missing_secrets.length > 0 && (
        <p class="note warn">
          {c.stillMissing(result.missing_secrets)} <a href={link("secrets")}>{texts.services.setSecrets}</a>
        </p>
      )}
      {restore && (
        <p>
          <a class="button main" href={`/-/${restorePath(restore)}`}>
            {c.toRestore}
          </a>
        </p>
      )}
    </>
  );
}
