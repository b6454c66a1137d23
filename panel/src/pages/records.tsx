import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { TextField } from "../parts/field";
import { Card, Page } from "../parts/page";
import { Empty, ErrorNote, Loaded, Time } from "../parts/states";
import { More, Table } from "../parts/table";
import { link, type Place } from "../router";
import { texts } from "../texts";
import type { RecordRow, SearchPage } from "../types";
import { countText, shortDid } from "../units";

const THREADS_SHOWN = 50;

export default function RecordsPage({ place }: { place: Place }) {
  return place.name ? <Thread thread={place.name} /> : <AllRecords />;
}

function AllRecords() {
  const threads = useAsked(api.threads);
  const [shown, setShown] = useState(THREADS_SHOWN);
  const r = texts.records;
  return (
    <Page title={texts.pages.records} lead={r.lead}>
      <Search />
      <Loaded asked={threads}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={r.none} text={r.noneText} />
          ) : (
            <Card tight title={r.threads(rows.length)}>
              <Table
                caption={r.threads(rows.length)}
                rows={rows.slice(0, shown)}
                keyOf={(row) => row.thread}
                columns={[
                  {
                    head: r.thread,
                    cell: (row) => <a href={link("records", row.thread)}>{row.thread || r.unnamed}</a>,
                  },
                  { head: texts.words.state, cell: (row) => row.state },
                  { head: texts.pages.records, kind: "number", cell: (row) => countText(row.records) },
                ]}
              />
              <More isWanted={rows.length > shown} onMore={() => setShown(shown + THREADS_SHOWN)} />
            </Card>
          )
        }
      </Loaded>
    </Page>
  );
}

function Search() {
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

function Thread({ thread }: { thread: string }) {
  const [pages, setPages] = useState(["0"]);
  const asked = useAsked(() => api.records(thread, pages[pages.length - 1] ?? "0"), `${thread} ${pages.length}`);
  const r = texts.records;
  return (
    <Page title={thread || r.unnamed} lead={r.threadLead}>
      <p>
        <a href={link("records")}>{r.all}</a>
      </p>
      <Loaded asked={asked}>
        {(page) => (
          <>
            {page.records.length === 0 ? <p class="quiet">{r.noneHere}</p> : <RecordList records={page.records} />}
            <div class="row">
              {pages.length > 1 && (
                <button type="button" class="button" onClick={() => setPages(pages.slice(0, -1))}>
                  {r.back}
                </button>
              )}
              {page.has_more && (
                <button type="button" class="button" onClick={() => setPages([...pages, page.cursor])}>
                  {r.on}
                </button>
              )}
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function RecordList({ records }: { records: RecordRow[] }) {
  return (
    <ul class="findings">
      {records.map((row) => (
        <li key={row.id} class="note">
          <div class="finding-head">
            <strong>{row.record.act}</strong>
            <span class="quiet">{shortDid(row.record.actor)}</span>
            <span class="quiet small">{row.arrived_at && <Time at={row.arrived_at} />}</span>
          </div>
          <details>
            <summary>
              <code>{row.id.slice(0, 16)}</code> {texts.records.inThread} {row.record.thread || texts.records.unnamed}
            </summary>
            <pre class="log" tabIndex={0} aria-label={row.id}>
              {JSON.stringify(row.record, null, 2)}
            </pre>
          </details>
        </li>
      ))}
    </ul>
  );
}
