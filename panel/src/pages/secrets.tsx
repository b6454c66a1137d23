import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Confirm, Dialog } from "../parts/dialog";
import { TextField } from "../parts/field";
import { Card, Page } from "../parts/page";
import { Empty, ErrorNote, Loaded, State } from "../parts/states";
import { Table } from "../parts/table";
import { link } from "../router";
import { texts } from "../texts";
import type { SecretRow } from "../types";

export default function SecretsPage() {
  const asked = useAsked(api.secrets);
  const [sets, setSets] = useState<SecretRow | null>(null);
  const [deletes, setDeletes] = useState<SecretRow | null>(null);
  const doing = useDoing();
  const s = texts.secrets;
  return (
    <Page title={texts.pages.secrets} lead={s.lead}>
      <Loaded asked={asked}>
        {(secrets) =>
          secrets.length === 0 ? (
            <Empty title={s.none} text={s.noneText}>
              <a class="button main" href={link("catalog")}>
                {texts.services.noneAction}
              </a>
            </Empty>
          ) : (
            <Card tight>
              <Table
                caption={texts.pages.secrets}
                rows={missingFirst(secrets)}
                keyOf={(secret) => secret.handle}
                columns={[
                  { head: s.handle, cell: (secret) => <code>{secret.handle}</code> },
                  {
                    head: texts.words.state,
                    cell: (secret) => (
                      <State tone={secret.present ? "ok" : secret.required ? "stop" : "warn"}>
                        {secret.present ? s.present : secret.required ? s.missing : s.missingOptional}
                      </State>
                    ),
                  },
                  { head: texts.words.class, cell: (secret) => s.classes[secret.class] },
                  {
                    head: texts.words.actions,
                    kind: "actions",
                    cell: (secret) => (
                      <>
                        <button
                          type="button"
                          class="button bare"
                          aria-label={s.setNamed(secret.present, secret.handle)}
                          onClick={() => setSets(secret)}
                        >
                          {secret.present ? s.replace : s.set}
                        </button>
                        {secret.present && (
                          <button
                            type="button"
                            class="button bare"
                            aria-label={s.deleteNamed(secret.handle)}
                            onClick={() => setDeletes(secret)}
                          >
                            {s.delete}
                          </button>
                        )}
                      </>
                    ),
                  },
                ]}
              />
            </Card>
          )
        }
      </Loaded>
      {sets && <SetSecret secret={sets} onClose={() => setSets(null)} onSet={asked.again} />}
      {deletes && (
        <Confirm
          title={s.deleteTitle}
          text={s.deleteText(deletes.handle)}
          action={s.delete}
          busy={doing.busy}
          error={doing.error}
          onClose={() => setDeletes(null)}
          onConfirm={async () => {
            if (!(await doing.run(() => api.deleteSecret(deletes.handle)))) return;
            setDeletes(null);
            await asked.again();
          }}
        />
      )}
    </Page>
  );
}

function missingFirst(secrets: SecretRow[]): SecretRow[] {
  const rank = (secret: SecretRow) => (secret.present ? 2 : secret.required ? 0 : 1);
  return [...secrets].sort((a, b) => rank(a) - rank(b) || a.handle.localeCompare(b.handle));
}

function SetSecret({ secret, onClose, onSet }: { secret: SecretRow; onClose: () => void; onSet: () => void }) {
  const [value, setValue] = useState("");
  const doing = useDoing();
  const s = texts.secrets;
  return (
    <Dialog title={s.setTitle(secret.handle)} onClose={onClose}>
      <form
        class="form"
        onSubmit={async (event) => {
          event.preventDefault();
          if (!(await doing.run(() => api.setSecret(secret.handle, value)))) return;
          onClose();
          onSet();
        }}
      >
        <TextField
          label={s.value}
          hint={s.valueHint}
          type="password"
          autoComplete="new-password"
          autoFocus
          required
          value={value}
          onValue={setValue}
        />
        <ErrorNote error={doing.error} />
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="button main" disabled={doing.busy}>
            {s.set}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
