import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { TextField } from "../parts/field";
import { Card } from "../parts/page";
import { ErrorNote, Loaded, Time } from "../parts/states";
import { texts } from "../texts";

export function Passkeys() {
  const asked = useAsked(api.passkeys);
  const [name, setName] = useState("");
  const doing = useDoing();
  const s = texts.settings;
  const register = () =>
    doing.run(async () => {
      await (await import("../passkey")).registerPasskey(name);
      setName("");
      await asked.again();
    });
  return (
    <Card title={s.passkeys} lead={s.passkeysText}>
      <div class="form">
        <Loaded asked={asked} lines={2}>
          {(passkeys) => (
            <ul class="findings">
              {passkeys.map((passkey) => (
                <li key={passkey.id} class="row between">
                  <span>
                    {passkey.name}{" "}
                    <span class="quiet">
                      <Time at={passkey.created_at} />
                    </span>
                  </span>
                  <button
                    type="button"
                    class="button bare"
                    aria-label={s.removeNamed(passkey.name)}
                    onClick={() =>
                      doing.run(async () => {
                        await api.deletePasskey(passkey.id);
                        await asked.again();
                      })
                    }
                  >
                    {s.remove}
                  </button>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
        {"PublicKeyCredential" in window ? (
          <form
            class="form"
            onSubmit={(event) => {
              event.preventDefault();
              void register();
            }}
          >
            <TextField label={s.passkeyName} hint={s.passkeyNameHint} required value={name} onValue={setName} />
            <ErrorNote error={doing.error} />
            <div class="row">
              <button type="submit" class="button" disabled={doing.busy}>
                {s.addPasskey}
              </button>
            </div>
          </form>
        ) : (
          <p class="quiet">{s.noPasskeys}</p>
        )}
      </div>
    </Card>
  );
}
