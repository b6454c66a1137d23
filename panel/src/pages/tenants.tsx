import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { TextField } from "../parts/field";
import { Card, Page } from "../parts/page";
import { Empty, ErrorNote, Loaded, State, Time } from "../parts/states";
import { Table } from "../parts/table";
import { texts } from "../texts";
import type { TenantRow } from "../types";
import { bytesText } from "../units";

const MIB = 1024 * 1024;
const TONES = { running: "ok", stopped: undefined, failed: "stop" } as const;

export default function TenantsPage() {
  const asked = useAsked(api.tenants);
  const doing = useDoing();
  const t = texts.tenants;
  const turn = (tenant: TenantRow) =>
    doing.run(async () => {
      await (tenant.state === "running" ? api.stopTenant(tenant.name) : api.startTenant(tenant.name));
      await asked.again();
    });
  return (
    <Page title={texts.pages.tenants} lead={t.lead}>
      <ErrorNote error={doing.error} />
      <Loaded asked={asked}>
        {(tenants) =>
          tenants.length === 0 ? (
            <Empty title={t.none} text={t.noneText} />
          ) : (
            <Card tight>
              <Table
                caption={texts.pages.tenants}
                rows={tenants}
                keyOf={(tenant) => tenant.name}
                columns={[
                  { head: t.tenant, cell: (tenant) => tenant.name },
                  {
                    head: texts.words.state,
                    cell: (tenant) => <State tone={TONES[tenant.state]}>{t.states[tenant.state]}</State>,
                  },
                  { head: t.address, cell: (tenant) => <a href={tenant.address}>{tenant.address}</a> },
                  { head: t.limits, cell: (tenant) => t.limitsText(tenant.limits) },
                  { head: texts.words.lastBackup, cell: (tenant) => <Time at={tenant.last_backup_at} /> },
                  { head: texts.words.size, kind: "number", cell: (tenant) => bytesText(tenant.bytes) },
                  {
                    head: texts.words.actions,
                    kind: "actions",
                    cell: (tenant) => (
                      <button
                        type="button"
                        class="button bare"
                        disabled={doing.busy}
                        aria-label={t.turnNamed(tenant.state === "running", tenant.name)}
                        onClick={() => turn(tenant)}
                      >
                        {tenant.state === "running" ? t.stop : t.start}
                      </button>
                    ),
                  },
                ]}
              />
            </Card>
          )
        }
      </Loaded>
      <AddTenant onAdded={asked.again} />
      <p class="quiet">{t.byCommand}</p>
    </Page>
  );
}

function AddTenant({ onAdded }: { onAdded: () => void }) {
  const [name, setName] = useState("");
  const [host, setHost] = useState("");
  const [memory, setMemory] = useState("");
  const [cpus, setCpus] = useState("");
  const [made, setMade] = useState("");
  const doing = useDoing();
  const t = texts.tenants;
  return (
    <Card title={t.add}>
      <form
        class="form"
        onSubmit={async (event) => {
          event.preventDefault();
          const tenant = {
            name,
            ...(host ? { host } : {}),
            ...(memory ? { memory_bytes: Number(memory) * MIB } : {}),
            ...(cpus ? { cpus: Number(cpus) } : {}),
          };
          if (!(await doing.run(() => api.addTenant(tenant)))) return;
          setMade(name);
          setName("");
          onAdded();
        }}
      >
        <div class="form-row">
          <TextField label={t.name} hint={t.nameHint} required value={name} onValue={setName} />
          <TextField label={t.host} hint={t.hostHint} value={host} onValue={setHost} />
          <TextField label={t.memory} hint={t.optional} type="number" min={64} value={memory} onValue={setMemory} />
          <TextField label={t.cpus} hint={t.optional} type="number" min={1} value={cpus} onValue={setCpus} />
        </div>
        <ErrorNote error={doing.error} />
        {made && (
          <p class="note ok" role="status">
            {t.made(made)} <code>{`spl tenant link ${made}`}</code>
          </p>
        )}
        <div class="row">
          <button type="submit" class="button main" disabled={doing.busy}>
            {t.add}
          </button>
        </div>
      </form>
    </Card>
  );
}
