import { api } from "../api";
import { go } from "../router";
import type { BundleKey, ImportOptions, Job } from "../types";

export type Source = { upload: string } | { backup: string };

// Keys stay in this page's memory, so that a second check need not ask again. A reload forgets them.
const keys = new Map<string, BundleKey>();

const nameOf = (source: Source) => ("upload" in source ? `upload/${source.upload}` : `backup/${source.backup}`);

/** `isChanged`: it is checked again because the plan was another when the restore was to begin. */
export function restorePath(job: string, isChanged = false): string {
  return `restore?job=${encodeURIComponent(job)}${isChanged ? "&changed" : ""}`;
}

export function keyOf(source: Source): BundleKey | undefined {
  return keys.get(nameOf(source));
}

export function sourceOf(job: Job): Source {
  const { upload, backup } = job.request;
  return typeof upload === "string" ? { upload } : { backup: String(backup) };
}

const OPTIONS = [
  "context",
  "as",
  "replace",
  "records",
  "without",
  "expect_did",
  "allow_older",
  "adopt_identity",
] as const;

export function optionsOf(job: Job): ImportOptions {
  const found: Record<string, unknown> = {};
  for (const name of OPTIONS) if (job.request[name] !== undefined) found[name] = job.request[name];
  return found as ImportOptions;
}

/** Options that say nothing are left out, so that equal choices are equal. */
export function tidied(options: ImportOptions): ImportOptions {
  const found: Record<string, unknown> = {};
  for (const name of OPTIONS) {
    const value = options[name];
    const isEmpty =
      value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0);
    if (!isEmpty) found[name] = value;
  }
  return found as ImportOptions;
}

export function isSame(one: ImportOptions, other: ImportOptions): boolean {
  return JSON.stringify(tidied(one)) === JSON.stringify(tidied(other));
}

export async function beginPreflight(
  source: Source,
  key: BundleKey,
  options: ImportOptions,
  isChanged = false,
): Promise<void> {
  keys.set(nameOf(source), key);
  const { id } = await api.begin({ kind: "preflight", ...source, ...key, ...tidied(options) });
  go(restorePath(id, isChanged));
}
