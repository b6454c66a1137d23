import { link } from "../router";
import { texts } from "../texts";
import type { ServiceRow } from "../types";
import { bytesText } from "../units";
import { Empty, State, Time } from "./states";
import { Table } from "./table";

export function ServiceStateText({ service }: { service: ServiceRow }) {
  const isIll = service.state === "failing" || service.healthy === false;
  const tone = isIll ? "stop" : service.state === "running" ? "ok" : service.state === "paused" ? "warn" : undefined;
  const text = service.state === "running" && isIll ? texts.services.unhealthy : texts.services.states[service.state];
  return <State tone={tone}>{text}</State>;
}

export function ServiceTable({ services }: { services: ServiceRow[] }) {
  const s = texts.services;
  if (services.length === 0) {
    return (
      <Empty title={s.none} text={s.noneText}>
        <a class="button main" href={link("catalog")}>
          {s.noneAction}
        </a>
      </Empty>
    );
  }
  return (
    <Table
      caption={texts.pages.services}
      rows={services}
      keyOf={(service) => service.name}
      columns={[
        { head: texts.words.service, cell: (service) => <a href={link("services", service.name)}>{service.name}</a> },
        { head: texts.words.state, cell: (service) => <ServiceStateText service={service} /> },
        {
          head: texts.words.needs,
          cell: (service) =>
            service.secrets_missing > 0 && (
              <a href={link("secrets")}>
                <State tone="warn">{s.secretsMissing(service.secrets_missing)}</State>
              </a>
            ),
        },
        { head: texts.words.lastBackup, cell: (service) => <Time at={service.last_backup_at} /> },
        { head: texts.words.size, kind: "number", cell: (service) => bytesText(service.bytes) },
        {
          head: texts.words.open,
          kind: "actions",
          cell: (service) =>
            service.address && (
              <a href={service.address} rel="noopener" aria-label={s.openNamed(service.name)}>
                {texts.words.open}
              </a>
            ),
        },
      ]}
    />
  );
}
