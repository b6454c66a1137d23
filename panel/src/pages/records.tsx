import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked } from "../asking";
import { Card, Page } from "../parts/page";
import { Empty, Loaded } from "../parts/states";
import { More, Table } from "../parts/table";
import { link, type Place } from "../router";
import { texts } from "../texts";
import { countText } from "../units";
import { RecordList } from "./record-list";
import { Search } from "./records-search";

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
