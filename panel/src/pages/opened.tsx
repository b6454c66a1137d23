import { useState } from "preact/hooks";
import { api, asApiError } from "../api";
import { useDoing } from "../asking";
import { TextField } from "../parts/field";
import { KeyFields } from "../parts/key-fields";
import { ErrorNote } from "../parts/states";
import { More, Table } from "../parts/table";
import { texts } from "../texts";
import type { BackupDetail, BundleKey, EntryPage, OpenedBackup } from "../types";
import { bytesText } from "../units";

/** What lies in a backup. The server keeps the key for ten minutes. */
export function OpenedEntries({ backup }: { backup: BackupDetail }) {
  const [opened, setOpened] = useState<OpenedBackup | null>(null);
  const [page, setPage] = useState<EntryPage | null>(null);
  const [prefix, setPrefix] = useState("");
  const doing = useDoing();
  const b = texts.backups;

  const show = async (handle: string, from: EntryPage | null) => {
    const next = await api.openedEntries(handle, prefix, from?.cursor);
    setPage(from ? { ...next, entries: [...from.entries, ...next.entries] } : next);
  };
  const open = (key: BundleKey) =>
    doing.run(async () => {
      const made = await api.openBackup(backup.id, key);
      setOpened(made);
      await show(made.handle, null);
    });
  const onOpened = (from: EntryPage | null) =>
    doing.run(async () => {
      if (!opened) return;
      try {
        await show(opened.handle, from);
      } catch (error) {
        if (asApiError(error).code === "NOT_FOUND") setOpened(null);
        throw error;
      }
    });

  if (!opened || !page) {
    return (
      <>
        {backup.encryption === "none" ? (
          <button type="button" class="button" disabled={doing.busy} onClick={() => open({})}>
            {b.open}
          </button>
        ) : (
          <KeyFields
            wanted={backup.encryption === "passphrase" ? "passphrase" : "identity"}
            busy={doing.busy}
            action={b.open}
            onKey={open}
          />
        )}
        <ErrorNote error={doing.error} />
      </>
    );
  }
  return (
    <div class="form">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void onOpened(null);
        }}
      >
        <TextField label={b.below} hint={b.belowHint} type="search" value={prefix} onValue={setPrefix} />
      </form>
      <ErrorNote error={doing.error} />
      <Table
        scrolls
        caption={b.lookInside}
        rows={page.entries}
        keyOf={(entry) => entry.path}
        columns={[
          {
            head: b.path,
            cell: (entry) =>
              entry.type === "file" ? (
                <a href={api.openedFilePath(opened.handle, entry.path)} download>
                  <code>{entry.path}</code>
                </a>
              ) : (
                <code>{entry.path}</code>
              ),
          },
          {
            head: texts.words.size,
            kind: "number",
            cell: (entry) => (entry.type === "file" ? bytesText(entry.bytes) : "–"),
          },
        ]}
      />
      <More isWanted={page.has_more} onMore={() => onOpened(page)} />
    </div>
  );
}
