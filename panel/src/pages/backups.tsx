import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked } from "../asking";
import { Card, Page } from "../parts/page";
import { Empty, Loaded, State, Time } from "../parts/states";
import { More, Table } from "../parts/table";
import { BackupHistory } from "../pictures/backup-history";
import { PauseBySurface } from "../pictures/pause";
import { go, link, type Place } from "../router";
import { texts } from "../texts";
import type { BackupRow } from "../types";
import { bytesText, pauseText } from "../units";
import { BackupPage } from "./backup";
import { BackUpNow } from "./backup-now";
import { BackupKeys } from "./backup-keys";
import { Schedules } from "./schedules";

export default function BackupsPage({ place }: { place: Place }) {
  return place.name ? <BackupPage id={place.name} /> : <AllBackups place={place} />;
}

function AllBackups({ place }: { place: Place }) {
  const backups = useAsked(api.backups);
  const recipients = useAsked(api.recipients);
  const schedules = useAsked(api.schedules);
  const [asksNow, setAsksNow] = useState(place.hash === "now");
  const job = place.query.get("job");
  const b = texts.backups;
  return (
    <Page
      title={texts.pages.backups}
      lead={b.lead}
      actions={
        <>
          <a class="button" href={link("restore")}>
            {texts.pages.restore}
          </a>
          <button
            type="button"
            class="button main"
            aria-expanded={asksNow}
            onClick={() => {
              setAsksNow(job !== null || !asksNow);
              if (job) go("backups", true);
            }}
          >
            {b.now}
          </button>
        </>
      }
    >
      {(asksNow || job) && (
        <Loaded asked={recipients} lines={2}>
          {(keys) => <BackUpNow recipients={keys} job={job} onEnd={() => backups.again()} />}
        </Loaded>
      )}
      <Loaded asked={backups} lines={8}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={b.none} text={b.noneText} />
          ) : (
            <>
              <Card title={b.history} lead={b.historyText}>
                <BackupHistory backups={rows} />
              </Card>
              <LastPause backups={rows} />
              <AllRows backups={rows} />
            </>
          )
        }
      </Loaded>
      <Loaded asked={recipients} lines={3}>
        {(keys) => (
          <>
            <BackupKeys recipients={keys} again={recipients.again} />
            <Loaded asked={schedules} lines={3}>
              {(rows) => <Schedules schedules={rows} recipients={keys} again={schedules.again} />}
            </Loaded>
          </>
        )}
      </Loaded>
    </Page>
  );
}

const newestFirst = (one: BackupRow, other: BackupRow) => Date.parse(other.created_at) - Date.parse(one.created_at);

function LastPause({ backups }: { backups: BackupRow[] }) {
  const last = [...backups].sort(newestFirst)[0]?.id ?? "";
  const asked = useAsked(() => api.backup(last), last);
  const b = texts.backups;
  const surfaces = asked.data?.surfaces ?? [];
  if (surfaces.length === 0) return null;
  return (
    <Card title={b.lastPause} lead={b.lastPauseText}>
      <PauseBySurface surfaces={surfaces} most={5} />
    </Card>
  );
}

const ROWS_SHOWN = 8;

function AllRows({ backups }: { backups: BackupRow[] }) {
  const [shown, setShown] = useState(ROWS_SHOWN);
  return (
    <Card tight title={texts.backups.all}>
      <BackupTable backups={[...backups].sort(newestFirst).slice(0, shown)} />
      <More isWanted={backups.length > shown} onMore={() => setShown(shown * 2)} />
    </Card>
  );
}

function BackupTable({ backups }: { backups: BackupRow[] }) {
  const b = texts.backups;
  return (
    <Table
      caption={b.all}
      rows={backups}
      keyOf={(backup) => backup.id}
      columns={[
        {
          head: texts.words.time,
          cell: (backup) => (
            <a href={link("backups", backup.id)}>
              <Time at={backup.created_at} />
            </a>
          ),
        },
        { head: b.holds, cell: (backup) => b.scope(backup.scope) },
        {
          head: texts.words.consistency,
          cell: (backup) => (
            <State tone={backup.consistency === "quiesced" ? "ok" : "warn"}>
              {texts.consistency[backup.consistency]}
            </State>
          ),
        },
        { head: b.protection, cell: (backup) => b.encryption[backup.encryption] },
        { head: b.verified, cell: (backup) => (backup.verified_at ? <Time at={backup.verified_at} /> : b.notVerified) },
        { head: texts.words.pause, kind: "number", cell: (backup) => pauseText(backup.pause_ms) },
        { head: texts.words.size, kind: "number", cell: (backup) => bytesText(backup.bytes) },
      ]}
    />
  );
}
