import { generateX25519Identity, identityToRecipient } from "age-encryption";

// A key file is what age-keygen makes: comments, and a line that begins with AGE-SECRET-KEY-1.
const IDENTITY = /^AGE-SECRET-KEY-1[A-Z0-9]+$/;

export interface BackupKey {
  recipient: string;
  file: string;
}

export function identitiesIn(file: string): string[] {
  return file
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => IDENTITY.test(line));
}

export async function recipientsIn(file: string): Promise<string[]> {
  const found: string[] = [];
  for (const identity of identitiesIn(file)) {
    const recipient = await identityToRecipient(identity).catch(() => null);
    if (recipient) found.push(recipient);
  }
  return found;
}

export async function makeBackupKey(label: string, now: Date): Promise<BackupKey> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const heading = `# spl backup key: ${label.replace(/[\r\n]/g, " ")}\n# created: ${now.toISOString()}\n`;
  return { recipient, file: `${heading}# public key: ${recipient}\n${identity}\n` };
}
