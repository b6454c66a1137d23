import { useState } from "preact/hooks";
import { api, ApiError } from "../api";
import { makeBackupKey, recipientsIn } from "../bundle/work";
import { useDoing } from "../asking";
import { Confirm } from "../parts/dialog";
import { FileButton, TextField } from "../parts/field";
import { Card } from "../parts/page";
import { ErrorNote, State, Time } from "../parts/states";
import { saveText } from "../save";
import { texts } from "../texts";
import type { Recipient } from "../types";

interface BackupKeysProps {
  recipients: Recipient[];
  again: () => void;
}

const KEY_FILE_BYTES_MAX = 64 * 1024;

/** Keys are made in the browser. The server gets the public half; the owner keeps the file, and shows it once. */
export function BackupKeys({ recipients, again }: BackupKeysProps) {
  const [label, setLabel] = useState("");
  const [saved, setSaved] = useState<{ name: string; file: string } | null>(null);
  const doing = useDoing();
  const k = texts.keys;
  const make = () =>
    doing.run(async () => {
      const name = label.trim() || location.hostname;
      const key = await makeBackupKey(name, new Date());
      await api.addRecipient(key.recipient, name);
      const file = { name: k.fileName(location.hostname), file: key.file };
      setSaved(file);
      saveText(file.name, file.file);
      setLabel("");
      again();
    });
  return (
    <Card title={k.heading} lead={k.lead}>
      <div class="form">
        {recipients.length > 0 && (
          <ul class="findings">
            {recipients.map((key) => (
              <KeyRow key={key.recipient} recipient={key} again={again} />
            ))}
          </ul>
        )}
        {saved && (
          <div class="note warn" role="status">
            <p>{k.savedText}</p>
            <p>
              <button type="button" class="button" onClick={() => saveText(saved.name, saved.file)}>
                {k.saveAgain}
              </button>
            </p>
          </div>
        )}
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void make();
          }}
        >
          <TextField label={k.label} hint={k.labelHint} value={label} onValue={setLabel} />
          <ErrorNote error={doing.error} />
          <div class="row">
            <button type="submit" class={recipients.length > 0 ? "button" : "button main"} disabled={doing.busy}>
              {k.make}
            </button>
          </div>
        </form>
      </div>
    </Card>
  );
}

function KeyRow({ recipient, again }: { recipient: Recipient; again: () => void }) {
  const [forgets, setForgets] = useState(false);
  const doing = useDoing();
  const k = texts.keys;
  const confirm = (file: File) =>
    doing.run(async () => {
      const found = await recipientsIn(await file.slice(0, KEY_FILE_BYTES_MAX).text());
      if (!found.includes(recipient.recipient)) throw new ApiError("KEY_WRONG", k.otherKey(file.name), k.otherKeyHint);
      await api.confirmRecipient(recipient.recipient);
      again();
    });
  return (
    <li
      class="entry"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file && !recipient.confirmed_at) void confirm(file);
      }}
    >
      <div class="row between">
        <span>
          <strong>{recipient.label}</strong>{" "}
          {recipient.created_at && (
            <span class="quiet">
              {k.made} <Time at={recipient.created_at} />
            </span>
          )}
        </span>
        <span class="row">
          <State tone={recipient.confirmed_at ? "ok" : "warn"}>
            {recipient.confirmed_at ? k.confirmed : k.unconfirmed}
          </State>
          <button
            type="button"
            class="button bare"
            aria-label={k.forgetNamed(recipient.label)}
            onClick={() => setForgets(true)}
          >
            {k.forget}
          </button>
        </span>
      </div>
      <code class="small">{recipient.recipient}</code>
      {!recipient.confirmed_at && (
        <div class="note warn">
          <p>{k.confirmText}</p>
          <p>
            <FileButton text={k.confirm} onFile={confirm} />
          </p>
        </div>
      )}
      {forgets ? (
        <Confirm
          title={k.forgetTitle(recipient.label)}
          text={k.forgetText}
          action={k.forget}
          busy={doing.busy}
          error={doing.error}
          onClose={() => setForgets(false)}
          onConfirm={async () => {
            if (await doing.run(() => api.deleteRecipient(recipient.recipient))) again();
          }}
        />
      ) : (
        <ErrorNote error={doing.error} />
      )}
    </li>
  );
}
