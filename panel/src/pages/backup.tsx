import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Confirm } from "../parts/dialog";
import { Card, Page } from "../parts/page";
import { ErrorNote, Loaded, State, Time } from "../parts/states";
import { Table } from "../parts/table";
import { PauseBySurface } from "../pictures/pause";
import { go, link } from "../router";
import { followDownload } from "../save";
import { texts } from "../texts";
import type { BackupDetail } from "../types";
import { bytesText, countText, pauseText } from "../units";
import { OpenedEntries } from "./opened";

export function BackupPage({ id }: { id: string }) {
  const asked = useAsked(() => api.backup(id), id);
  const [deletes, setDeletes] = useState(false);
  const doing = useDoing();
  const b = texts.backups;
  const download = () =>
    doing.run(async () => {
      await api.tryDownload(id);
      followDownload(api.backupFilePath(id));
    });
  return (
    <Page
      title={asked.data?.name ?? id}
      actions={
        <>
          <button type="button" class="button" disabled={doing.busy} onClick={download}>
            {b.download}
          </button>
          <a class="button" href={`${link("restore")}?backup=${encodeURIComponent(id)}`}>
            {b.restore}
          </a>
          <button type="button" class="button danger" onClick={() => setDeletes(true)}>
            {b.delete}
          </button>
        </>
      }
    >
      {!deletes && <ErrorNote error={doing.error} />}
      <Loaded asked={asked} lines={12}>
        {(backup) => (
          <>
            <Facts backup={backup} />
            {backup.surfaces.length > 0 && (
              <Card title={b.pause} lead={b.pauseText(pauseText(backup.pause_ms))}>
                <PauseBySurface surfaces={backup.surfaces} />
              </Card>
            )}
            <Contents backup={backup} />
            <Card title={b.lookInside} {...(backup.encryption === "none" ? {} : { lead: b.lookInsideText })}>
              <OpenedEntries backup={backup} />
            </Card>
          </>
        )}
      </Loaded>
      {deletes && (
        <Confirm
          title={b.deleteTitle}
          text={b.deleteText}
          action={b.delete}
          typed={asked.data?.name}
          busy={doing.busy}
          error={doing.error}
          onClose={() => setDeletes(false)}
          onConfirm={async () => {
            if (await doing.run(() => api.deleteBackup(id))) go("backups");
          }}
        />
      )}
    </Page>
  );
}

function Facts({ backup }: { backup: BackupDetail }) {
  const b = texts.backups;
  return (
    <Card>
      <dl class="facts">
        <dt>{texts.words.time}</dt>
        <dd>{texts.time(backup.created_at)}</dd>
        <dt>{b.holds}</dt>
        <dd>{b.scope(backup.scope)}</dd>
        <dt>{texts.words.size}</dt>
        <dd>{bytesText(backup.bytes)}</dd>
        <dt>{texts.pages.records}</dt>
        <dd>{b.records(countText(backup.record_count), countText(backup.thread_count))}</dd>
        <dt>{texts.words.consistency}</dt>
        <dd>
          <State tone={backup.consistency === "quiesced" ? "ok" : "warn"}>
            {texts.consistency[backup.consistency]}
          </State>{" "}
          <span class="quiet">{texts.consistencyMeans[backup.consistency]}</span>
        </dd>
        <dt>{b.protection}</dt>
        <dd>{b.encryption[backup.encryption]}</dd>
        <dt>{b.identity}</dt>
        <dd>{b.identityKinds[backup.identity]}</dd>
        <dt>{b.verified}</dt>
        <dd>{backup.verified_at ? <Time at={backup.verified_at} /> : b.notVerified}</dd>
        <dt>{b.signer}</dt>
        <dd>
          <code>{backup.source_did}</code>
        </dd>
        <dt>{b.digest}</dt>
        <dd>
          <code>{backup.bundle_sha256}</code>
        </dd>
      </dl>
    </Card>
  );
}

function Contents({ backup }: { backup: BackupDetail }) {
  const b = texts.backups;
  if (backup.surfaces.length === 0) return null;
  return (
    <Card tight title={b.contents}>
      <Table
        scrolls
        caption={b.contents}
        rows={backup.surfaces}
        keyOf={(surface) => `${surface.service}/${surface.surface}/${surface.context}`}
        columns={[
          { head: texts.words.service, cell: (surface) => surface.service },
          { head: texts.words.surface, cell: (surface) => surface.surface },
          { head: texts.words.context, cell: (surface) => surface.context || "–" },
          { head: texts.words.kind, cell: (surface) => surface.kind },
          { head: b.files, kind: "number", cell: (surface) => countText(surface.files) },
          { head: texts.words.size, kind: "number", cell: (surface) => bytesText(surface.bytes) },
        ]}
      />
    </Card>
  );
}
