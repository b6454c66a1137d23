import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked } from "../asking";
import { Card, Page } from "../parts/page";
import { Empty, Loaded, State, Time } from "../parts/states";
import { More, Table } from "../parts/table";
import { BackupHistory } from "../pictures/backup-history";
import { link, type Place } from "../router";
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
          <button type="button" class="button main" aria-expanded={asksNow} onClick={() => setAsksNow(!asksNow)}>
            {b.now}
          </button>
        </>
      }
    >
      {(asksNow || place.query.has("job")) && (
        <Loaded asked={recipients} lines={2}>
          {(keys) => <BackUpNow recipients={keys} job={place.query.get("job")} onEnd={() => backups.again()} />}
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

const ROWS_SHOWN = 8;

function AllRows({ backups }: { backups: BackupRow[] }) {
  const [shown, setShown] = useState(ROWS_SHOWN);
  const sorted = [...backups].sort((one, other) => Date.parse(other.created_at) - Date.parse(one.created_at));
  return (
    <Card tight title={texts.backups.all}>
      <BackupTable backups={sorted.slice(0, shown)} />
      <More isWanted={sorted.length > shown} onMore={() => setShown(shown * 2)} />
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
            <State tone={backup.consistency === "quiesced" ? "ok" : "warn"}>{texts.consistency[backup.consistency]}</State>
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
