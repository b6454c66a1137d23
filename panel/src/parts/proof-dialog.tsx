import { useEffect, useState } from "preact/hooks";
import { api, askAtDoor } from "../api";
import { useAsked, useDoing } from "../asking";
import { onProofAsked } from "../proof";
import { texts } from "../texts";
import { Dialog } from "./dialog";
import { TextField } from "./field";
import { ErrorNote } from "./states";

/** Asks for the password (or a passkey) again where a route wants a fresh proof. */
export function ProofDialog() {
  const [answer, setAnswer] = useState<((proved: boolean) => void) | null>(null);
  const [password, setPassword] = useState("");
  const doing = useDoing();
  useEffect(() => onProofAsked(() => new Promise((resolve) => setAnswer(() => resolve))), []);
  if (!answer) return null;

  const end = (proved: boolean) => {
    answer(proved);
    setAnswer(null);
    setPassword("");
    doing.clear();
  };
  const withPasskey = async () => (await import("../passkey")).signInWithPasskey();
  const finish = async (work: () => Promise<unknown>) => {
    if (await doing.run(work)) end(true);
  };
  return (
    <Dialog title={texts.proof.title} onClose={() => end(false)}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void finish(() => askAtDoor("/v1/door/proof", { password }));
        }}
      >
        <p class="quiet">{texts.proof.text}</p>
        <TextField
          label={texts.proof.password}
          type="password"
          autoComplete="current-password"
          autoFocus
          required
          value={password}
          onValue={setPassword}
        />
        <ErrorNote error={doing.error} />
        <div class="row end">
          <PasskeyButton onUse={() => void finish(withPasskey)} />
          <button type="button" class="button" onClick={() => end(false)}>
            {texts.cancel}
          </button>
          <button type="submit" class="button main" disabled={doing.busy}>
            {texts.proof.go}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Where there is a passkey, and the browser knows them. */
function PasskeyButton({ onUse }: { onUse: () => void }) {
  const door = useAsked(api.door);
  if (!("PublicKeyCredential" in window) || !door.data?.passkey) return null;
  return (
    <button type="button" class="button bare" onClick={onUse}>
      {texts.proof.passkey}
    </button>
  );
}
