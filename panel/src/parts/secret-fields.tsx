import { texts } from "../texts";
import type { SecretRow } from "../types";
import { TextField } from "./field";

interface SecretFieldsProps {
  secrets: SecretRow[];
  values: Record<string, string>;
  onValues: (values: Record<string, string>) => void;
}

export function SecretFields({ secrets, values, onValues }: SecretFieldsProps) {
  return (
    <>
      {secrets.map((secret) => (
        <TextField
          key={secret.handle}
          label={secret.handle}
          hint={texts.secrets.classes[secret.class]}
          type="password"
          autoComplete="new-password"
          required={secret.required}
          value={values[secret.handle] ?? ""}
          onValue={(value) => onValues({ ...values, [secret.handle]: value })}
        />
      ))}
    </>
  );
}

/** What has to be entered: a secret of the class "regenerate" is made by itself. */
export function secretsToEnter(secrets: SecretRow[]): SecretRow[] {
  return secrets.filter((secret) => !secret.present && secret.class !== "regenerate");
}
