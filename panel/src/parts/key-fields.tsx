import { useState } from "preact/hooks";
import { texts } from "../texts";
import type { BundleKey } from "../types";
import { FileButton, TextField } from "./field";

interface KeyFieldsProps {
  wanted: "passphrase" | "identity";
  busy: boolean;
  fault?: string | undefined;
  action: string;
  onKey: (key: BundleKey) => void;
}

const KEY_FILE_BYTES_MAX = 64 * 1024;

export function KeyFields({ wanted, busy, fault, action, onKey }: KeyFieldsProps) {
  const [passphrase, setPassphrase] = useState("");
  if (wanted === "identity") {
    return (
      <div class="form">
        <p>{texts.keys.identityWanted}</p>
        {fault && (
          <p class="note stop" role="alert">
            {fault}
          </p>
        )}
        <div class="row">
          <FileButton
            text={texts.keys.chooseFile}
            main
            onFile={async (file) => onKey({ identity: await file.slice(0, KEY_FILE_BYTES_MAX).text() })}
          />
        </div>
      </div>
    );
  }
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onKey({ passphrase });
      }}
    >
      <TextField
        label={texts.keys.passphrase}
        type="password"
        required
        value={passphrase}
        onValue={setPassphrase}
        hint={texts.keys.passphraseHint}
      />
      {fault && (
        <p class="note stop" role="alert">
          {fault}
        </p>
      )}
      <div class="row">
        <button type="submit" class="button main" disabled={busy}>
          {busy ? texts.keys.opening : action}
        </button>
      </div>
    </form>
  );
}
