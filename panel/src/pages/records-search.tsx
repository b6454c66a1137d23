import { useState } from "preact/hooks";
import { api } from "../api";
import { useDoing } from "../asking";
import { TextField } from "../parts/field";
import { Card } from "../parts/page";
import { ErrorNote } from "../parts/states";
import { texts } from "../texts";
import type { SearchPage } from "../types";
import { countText } from "../units";
import { RecordList } from "./record-list";

export function Search() {
  const [q, setQ] = useState("");
  const [page, setPage] = useState<SearchPage | null>(null);
  const doing = useDoing();
  const r = texts.records;
  const search = (from: SearchPage | null) =>
    doing.run(async () => {
      const next = await api.search(q, from?.cursor);
      setPage(from ? { ...next, records: [...from.records, ...next.records] } : next);
    });
  return (
    <Card>
      <form
        class="form"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void search(null);
        }}
      >
        <TextField label={r.search} hint={r.searchHint} type="search" required value={q} onValue={setQ} />
        <div class="row">
          <button type="submit" class="button" disabled={doing.busy}>
            {doing.busy ? r.searching : r.searchAction}
          </button>
        </div>
        <ErrorNote error={doing.error} />
        {page && (
          <div aria-live="polite" class="form">
            <p class="quiet">{r.searched(page.records.length, countText(page.searched), countText(page.total))}</p>
            <RecordList records={page.records} />
            {page.has_more && (
              <div class="row">
                <button type="button" class="button" disabled={doing.busy} onClick={() => search(page)}>
                  {r.searchOn}
                </button>
              </div>
            )}
          </div>
        )}
      </form>
    </Card>
  );
}
