import type { BundleSummary, Consistency, Scope } from "../types";

/** The members of manifest.json that the panel reads (docs/formats/bundle.md). */
export interface Manifest {
  bundle_version: number;
  created_at: string;
  created_by: string;
  source_did: string;
  scope: Scope;
  encryption: "none" | "passphrase" | string[];
  record_count: number;
  thread_count: number;
  identity: "included" | "omitted";
  contexts: { name: string; id: number }[];
  services: { name: string; version: string; schema: number }[];
  snapshot: { taken_at: string; pause_ms: number; consistency: Consistency };
  sections: { prefix: string; files: number; bytes: number }[];
}

const BEGINNING = '{\n  "bundle_version": ';
const NEWEST_VERSION = 1;

export class ManifestError extends Error {
  constructor(readonly reason: "not-a-bundle" | "too-new") {
    super(reason);
  }
}

export function parseManifest(text: string): Manifest {
  if (!text.startsWith(BEGINNING)) throw new ManifestError("not-a-bundle");
  const version = parseInt(text.slice(BEGINNING.length), 10);
  if (version > NEWEST_VERSION) throw new ManifestError("too-new");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new ManifestError("not-a-bundle");
  }
  if (!isManifest(parsed)) throw new ManifestError("not-a-bundle");
  return parsed;
}

function isManifest(value: unknown): value is Manifest {
  const m = value as Partial<Manifest>;
  return (
    typeof m.source_did === "string" &&
    typeof m.created_at === "string" &&
    typeof m.record_count === "number" &&
    typeof m.thread_count === "number" &&
    typeof m.scope === "object" &&
    Array.isArray(m.contexts) &&
    Array.isArray(m.services) &&
    Array.isArray(m.sections)
  );
}

export function summaryOf(manifest: Manifest): BundleSummary {
  return {
    source_did: manifest.source_did,
    created_at: manifest.created_at,
    scope: manifest.scope,
    encryption: Array.isArray(manifest.encryption)
      ? "recipients"
      : manifest.encryption === "none"
        ? "none"
        : "passphrase",
    record_count: manifest.record_count,
    thread_count: manifest.thread_count,
    identity: manifest.identity,
    contexts: manifest.contexts,
    services: manifest.services.map(({ name, version }) => ({ name, version })),
    bytes: manifest.sections.reduce((sum, section) => sum + section.bytes, 0),
  };
}
