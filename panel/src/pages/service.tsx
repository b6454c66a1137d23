import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Confirm } from "../parts/dialog";
import { Check } from "../parts/field";
import { Card, Page } from "../parts/page";
import { PreviousActions } from "../parts/previous";
import { JobView } from "../parts/progress";
import { ServiceStateText } from "../parts/service-table";
import { ErrorNote, Loaded, State, Time } from "../parts/states";
import { Table } from "../parts/table";
import { Treemap } from "../pictures/treemap";
import { link } from "../router";
import { texts } from "../texts";
import type { JobRequest, ServiceDetail } from "../types";
import { bytesText } from "../units";

export function ServicePage({ name }: { name: string }) {
  const asked = useAsked(() => api.service(name), name);
  const [job, setJob] = useState<string | null>(null);
  const [removes, setRemoves] = useState(false);
  const doing = useDoing();
  const begin = (request: JobRequest) =>
    doing.run(async () => {
      setJob((await api.begin(request)).id);
      setRemoves(false);
    });
  const s = texts.services;
  const service = asked.data;
  const isDown = service?.state === "down";
  return (
    <Page
      title={name}
      lead={service?.summary}
      actions={
        service &&
        service.state !== "operator" && (
          <>
            {service.address && (
              <a class="button main" href={service.address}>
                {texts.words.open}
              </a>
            )}
            <button
              type="button"
              class="button"
              disabled={doing.busy}
              onClick={() => begin({ kind: isDown ? "start" : "stop", services: [name] })}
            >
              {isDown ? s.start : s.stop}
            </button>
            <button type="button" class="button danger" onClick={() => setRemoves(true)}>
              {s.remove}
            </button>
          </>
        )
      }
    >
      {!removes && <ErrorNote error={doing.error} />}
      {job && (
        <Card>
          <JobView id={job} onEnd={() => asked.again()} />
        </Card>
      )}
      <Loaded asked={asked} lines={12}>
        {(found) => (
          <>
            <Facts service={found} />
            <Surfaces service={found} />
            <Secrets service={found} />
            {found.previous.length > 0 && <Previous service={found} onBegun={setJob} />}
            <Log name={name} />
          </>
        )}
      </Loaded>
      {removes && <Remove name={name} doing={doing} begin={begin} onClose={() => setRemoves(false)} />}
    </Page>
  );
}

function Facts({ service }: { service: ServiceDetail }) {
  const s = texts.services;
  return (
    <Card>
      <dl class="facts">
        <dt>{texts.words.state}</dt>
        <dd>
          <ServiceStateText service={service} />{" "}
          {service.health && service.health !== "ok" && <span class="quiet">{service.health}</span>}
        </dd>
        <dt>{texts.words.version}</dt>
        <dd>{s.version(service.version, service.schema)}</dd>
        <dt>{s.address}</dt>
        <dd>{service.address ? <a href={service.address}>{service.address}</a> : s.noAddress}</dd>
        <dt>{s.access}</dt>
        <dd>{s.accessKinds[service.access]}</dd>
        {service.after.length > 0 && (
          <>
            <dt>{s.after}</dt>
            <dd>
              {service.after.map((other, i) => (
                <>
                  {i > 0 && ", "}
                  <a href={link("services", other)}>{other}</a>
                </>
              ))}
            </dd>
          </>
        )}
        <dt>{texts.words.lastBackup}</dt>
        <dd>
          <Time at={service.last_backup_at} />
        </dd>
      </dl>
    </Card>
  );
}

function Surfaces({ service }: { service: ServiceDetail }) {
  const s = texts.services;
  if (service.surfaces.length === 0) return null;
  const parts = service.surfaces.reduce((sum, row) => sum + Math.max(row.parts.length, row.bytes ? 1 : 0), 0);
  return (
    <Card title={s.surfaces} lead={s.surfacesText}>
      <div class="form">
        {parts > 1 && <Treemap rows={service.surfaces} />}
        <Table
          scrolls
          caption={s.surfaces}
          rows={service.surfaces}
          keyOf={(row) => row.surface + row.where}
          columns={[
            { head: texts.words.surface, cell: (row) => row.surface || <State tone="warn">{row.state}</State> },
            { head: texts.words.kind, cell: (row) => row.kind },
            { head: texts.words.class, cell: (row) => row.class },
            { head: texts.words.where, cell: (row) => <code>{row.where}</code> },
            { head: s.split, cell: (row) => row.split || s.notSplit },
            { head: s.snapshot, cell: (row) => row.snapshot },
            { head: texts.words.size, kind: "number", cell: (row) => bytesText(row.bytes) },
          ]}
        />
      </div>
    </Card>
  );
}

function Secrets({ service }: { service: ServiceDetail }) {
  if (service.secrets.length === 0) return null;
  return (
    <Card title={texts.pages.secrets} actions={<a href={link("secrets")}>{texts.services.setSecrets}</a>}>
      <ul class="findings">
        {service.secrets.map((secret) => (
          <li key={secret.handle} class="row between">
            <code>{secret.handle}</code>
            <State tone={secret.present ? "ok" : secret.required ? "stop" : "warn"}>
              {secret.present ? texts.secrets.present : texts.secrets.missing}
            </State>
          </li>
        ))}
      </ul>
    </Card>
  );
}

interface PreviousProps {
  service: ServiceDetail;
  onBegun: (job: string) => void;
}

function Previous({ service, onBegun }: PreviousProps) {
  const p = texts.previous;
  return (
    <Card title={p.heading} lead={p.text}>
      <ul class="findings">
        {service.previous.map((kept) => (
          <li key={kept.context} class="row between">
            <span>
              {kept.context || service.name}, <Time at={kept.at} /> <span class="quiet">{bytesText(kept.bytes)}</span>
            </span>
            <PreviousActions service={service.name} context={kept.context} onBegun={onBegun} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Log({ name }: { name: string }) {
  const asked = useAsked(() => api.serviceLog(name), name);
  const s = texts.services;
  return (
    <Card
      title={s.log}
      actions={
        <button type="button" class="button bare" onClick={asked.again}>
          {s.logAgain}
        </button>
      }
    >
      <Loaded asked={asked}>
        {(log) =>
          log.lines.length > 0 ? (
            <pre class="log" tabIndex={0} aria-label={s.log}>
              {log.lines.join("\n")}
            </pre>
          ) : (
            <p class="quiet">{s.logEmpty}</p>
          )
        }
      </Loaded>
    </Card>
  );
}

interface RemoveProps {
  name: string;
  doing: ReturnType<typeof useDoing>;
  begin: (request: JobRequest) => void;
  onClose: () => void;
}

function Remove({ name, doing, begin, onClose }: RemoveProps) {
  const [deletes, setDeletes] = useState(false);
  const s = texts.services;
  return (
    <Confirm
      title={s.removeTitle(name)}
      text={deletes ? s.removeDataText : s.removeText}
      action={s.remove}
      typed={name}
      busy={doing.busy}
      error={doing.error}
      onClose={onClose}
      onConfirm={() => begin({ kind: "remove", services: [name], delete_data: deletes })}
    >
      <Check checked={deletes} onChecked={setDeletes}>
        {s.removeData}
      </Check>
    </Confirm>
  );
}
