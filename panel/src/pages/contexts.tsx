import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Confirm, Dialog } from "../parts/dialog";
import { Check, TextField } from "../parts/field";
import { Card, Page } from "../parts/page";
import { JobView } from "../parts/progress";
import { Empty, ErrorNote, Loaded } from "../parts/states";
import { Table } from "../parts/table";
import { go, type Place } from "../router";
import { texts } from "../texts";
import type { ContextRow } from "../types";
import { bytesText } from "../units";

const toJob = (id: string) => go(`contexts?job=${encodeURIComponent(id)}`);

export default function ContextsPage({ place }: { place: Place }) {
  const asked = useAsked(api.contexts);
  const [renames, setRenames] = useState<string | null>(null);
  const [removes, setRemoves] = useState<ContextRow | null>(null);
  const job = place.query.get("job");
  const c = texts.contexts;
  return (
    <Page title={texts.pages.contexts} lead={c.lead}>
      {job && (
        <Card>
          <JobView id={job} onEnd={() => asked.again()} />
        </Card>
      )}
      <Loaded asked={asked}>
        {(contexts) =>
          contexts.length === 0 ? (
            <Empty title={c.none} text={c.noneText} />
          ) : (
            <Card tight>
              <Table
                caption={texts.pages.contexts}
                rows={contexts}
                keyOf={(context) => context.name}
                columns={[
                  { head: texts.words.context, cell: (context) => context.name },
                  { head: c.id, cell: (context) => context.id },
                  { head: c.label, cell: (context) => context.label },
                  { head: texts.words.size, kind: "number", cell: (context) => bytesText(context.bytes) },
                  {
                    head: texts.words.actions,
                    kind: "actions",
                    cell: ({ name, ...rest }) => (
                      <>
                        <button
                          type="button"
                          class="button bare"
                          aria-label={c.renameNamed(name)}
                          onClick={() => setRenames(name)}
                        >
                          {c.rename}
                        </button>
                        <button
                          type="button"
                          class="button bare"
                          aria-label={c.removeNamed(name)}
                          onClick={() => setRemoves({ name, ...rest })}
                        >
                          {c.remove}
                        </button>
                      </>
                    ),
                  },
                ]}
              />
            </Card>
          )
        }
      </Loaded>
      <AddContext onAdded={asked.again} />
      {renames && <Rename name={renames} onClose={() => setRenames(null)} />}
      {removes && <Remove context={removes} onClose={() => setRemoves(null)} />}
    </Page>
  );
}

function AddContext({ onAdded }: { onAdded: () => void }) {
  const [name, setName] = useState("");
  const [id, setId] = useState("");
  const [label, setLabel] = useState("");
  const doing = useDoing();
  const c = texts.contexts;
  return (
    <Card title={c.add}>
      <form
        class="form"
        onSubmit={async (event) => {
          event.preventDefault();
          const context = { name, ...(id ? { id: Number(id) } : {}), ...(label ? { label } : {}) };
          if (!(await doing.run(() => api.addContext(context)))) return;
          setName("");
          setId("");
          setLabel("");
          onAdded();
        }}
      >
        <div class="form-row">
          <TextField label={c.name} hint={c.nameHint} required value={name} onValue={setName} />
          <TextField label={c.id} hint={c.idHint} type="number" min={1} value={id} onValue={setId} />
          <TextField label={c.label} hint={c.labelHint} value={label} onValue={setLabel} />
        </div>
        <ErrorNote error={doing.error} />
        <div class="row">
          <button type="submit" class="button main" disabled={doing.busy}>
            {c.add}
          </button>
        </div>
      </form>
    </Card>
  );
}

function Rename({ name, onClose }: { name: string; onClose: () => void }) {
  const [newName, setNewName] = useState(name);
  const doing = useDoing();
  const c = texts.contexts;
  return (
    <Dialog title={c.renameNamed(name)} onClose={onClose}>
      <form
        class="form"
        onSubmit={async (event) => {
          event.preventDefault();
          await doing.run(async () => {
            toJob((await api.begin({ kind: "context_rename", context: name, new_name: newName })).id);
            onClose();
          });
        }}
      >
        <p class="quiet">{c.renameText}</p>
        <TextField label={c.newName} required autoFocus value={newName} onValue={setNewName} />
        <ErrorNote error={doing.error} />
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="button main" disabled={doing.busy || newName === name}>
            {c.rename}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Remove({ context, onClose }: { context: ContextRow; onClose: () => void }) {
  const [deletes, setDeletes] = useState(false);
  const [withoutBackup, setWithoutBackup] = useState(false);
  const doing = useDoing();
  const c = texts.contexts;
  return (
    <Confirm
      title={c.removeNamed(context.name)}
      text={c.removeText}
      action={c.remove}
      typed={context.name}
      busy={doing.busy}
      error={doing.error}
      onClose={onClose}
      onConfirm={() =>
        doing.run(async () => {
          const { id } = await api.begin({
            kind: "context_remove",
            context: context.name,
            delete_data: deletes,
            without_backup: withoutBackup,
          });
          toJob(id);
          onClose();
        })
      }
    >
      <Check checked={deletes} onChecked={setDeletes}>
        {c.deleteData}
      </Check>
      <Check checked={withoutBackup} onChecked={setWithoutBackup}>
        {c.withoutBackup}
      </Check>
    </Confirm>
  );
}
