// What the door (`run/door.sock`) answers, as the panel relies on it. docs/formats/door.md, "What the panel asks", has
// the same route by route. Times are RFC 3339 in UTC, sizes are bytes.

export type Time = string;

export interface ErrorBody {
  object: "error";
  code: string;
  message: string;
  hint: string;
}

export interface Door {
  claimed: boolean;
  passkey: boolean;
}

export interface Finding {
  check: string;
  status: "ok" | "warn" | "stop";
  subject: string;
  message: string;
  hint: string;
}

export type ServiceState = "operator" | "down" | "running" | "paused" | "failing";

export interface ServiceRow {
  name: string;
  version: string;
  state: ServiceState;
  healthy: boolean | null;
  bytes: number | null;
  last_backup_at: Time | null;
  address: string | null;
  secrets_missing: number;
}

export interface Overview {
  instance: {
    name: string;
    did: string | null;
    version: string;
    record_count: number;
    thread_count: number;
    disk_free_bytes: number;
    disk_total_bytes: number;
  };
  services: ServiceRow[];
  backups: { count: number; bytes: number; last_at: Time | null; next_at: Time | null };
  jobs: Job[];
  findings: Finding[];
}

export type SecretClass = "portable" | "regenerate" | "host-bound" | "user-supplied";

export interface SecretRow {
  handle: string;
  class: SecretClass;
  required: boolean;
  present: boolean;
}

export interface CatalogRow {
  name: string;
  version: string;
  summary: string;
  installed: boolean;
  after: string[];
  download_bytes?: number | null;
  secrets: SecretRow[];
}

export type SurfaceClass = "source" | "derived" | "derived-costly";

/** A row of `spl inventory -o json`, and its size by context where it is split. */
export interface InventoryRow {
  service: string;
  surface: string;
  kind: string;
  where: string;
  split: string;
  class: SurfaceClass;
  bytes: number | null;
  snapshot: string;
  state: "declared" | "undeclared" | "stray";
  parts: { context: string; bytes: number }[];
}

export interface ServiceDetail extends ServiceRow {
  summary: string;
  schema: number;
  after: string[];
  health: string;
  access: "owner" | "open";
  surfaces: InventoryRow[];
  secrets: SecretRow[];
  /** What a restore has replaced and keeps; a service that is not split has context "". */
  previous: { context: string; at: Time; bytes: number | null }[];
}

export interface ServiceLog {
  lines: string[];
}

export type JobState = "waiting" | "running" | "done" | "failed" | "cancelled" | "interrupted";
export type JobKind =
  | "install"
  | "backup"
  | "preflight"
  | "restore"
  | "start"
  | "stop"
  | "remove"
  | "discard_previous"
  | "swap_previous"
  | "context_rename"
  | "context_remove";

/** Import's options, by their names. */
export interface ImportOptions {
  context?: string;
  as?: string;
  replace?: boolean;
  records?: "merge" | "replace";
  without?: string[];
  expect_did?: string;
  allow_older?: boolean;
  adopt_identity?: boolean;
}

/** What opens an encrypted bundle: a passphrase, or the text of an age key file. */
export interface BundleKey {
  passphrase?: string;
  identity?: string;
}

export type JobRequest =
  | { kind: "install"; services: string[]; secrets: Record<string, string>; start: boolean }
  | { kind: "backup"; context?: string; without?: string[]; recipients?: string[]; plaintext?: boolean }
  | ({ kind: "preflight"; upload?: string; backup?: string } & BundleKey & ImportOptions)
  | { kind: "restore"; preflight: string; plan_sha256: string }
  | { kind: "start" | "stop"; services: string[] }
  | { kind: "remove"; services: string[]; delete_data: boolean }
  | { kind: "discard_previous" | "swap_previous"; service: string; context: string }
  | { kind: "context_rename"; context: string; new_name: string }
  | { kind: "context_remove"; context: string; delete_data: boolean; without_backup: boolean };

export interface Job {
  id: string;
  kind: JobKind;
  state: JobState;
  /** What it works on, for people: names of services, a context, a file. */
  subject: string;
  /** What was asked for, without passphrases, identities and secrets. */
  request: Record<string, unknown>;
  created_at: Time;
  started_at: Time | null;
  ended_at: Time | null;
  result: unknown;
  error: ErrorBody | null;
}

export interface JobEvent {
  seq: number;
  at: Time;
  phase: string | null;
  service: string | null;
  surface: string | null;
  done: number | null;
  total: number | null;
  unit: string | null;
  eta_ms: number | null;
  message: string | null;
}

export interface JobEnd {
  seq: number;
  state: "done" | "failed" | "cancelled" | "interrupted";
  result?: unknown;
  error?: ErrorBody;
}

export interface InstallResult {
  services: { name: string; version: string; state: string; address?: string | null; message?: string }[];
  missing_secrets: string[];
}

export interface BackupResult {
  backup: string;
  bytes: number;
  pause_ms: number;
  consistency: Consistency;
}

export interface PreflightResult {
  preflight: Finding[];
  /** Why a restore would be refused, where it would. */
  error?: ErrorBody | null;
  plan_sha256: string;
  /** Names that are typed before what bears them is replaced: services, contexts, "records". */
  replaces: string[];
  secrets_missing: SecretRow[];
  /** What the bundle holds, without its sections. */
  bundle: BundleSummary;
  bytes_needed: number;
  bytes_free: number;
}

export interface BundleSummary {
  source_did: string;
  created_at: Time;
  scope: Scope;
  encryption: "none" | "passphrase" | "recipients";
  record_count: number;
  thread_count: number;
  identity: "included" | "omitted";
  contexts: { name: string; id: number }[];
  services: { name: string; version: string }[];
  bytes: number;
}

export interface RestoreResult {
  records_inspected: number;
  records_inserted: number;
  records_deduplicated: number;
  threads: number;
  identity: "adopted" | "kept" | "same" | "omitted";
  seconds: number;
  services: {
    name: string;
    address: string | null;
    /** Contexts of which the state before is kept; "" of a service that is not split. */
    previous: string[];
    surfaces: { name: string; context?: string; counts: { what: string; bundle: number; here: number }[] }[];
  }[];
}

export interface Scope {
  kind: "instance" | "service";
  service?: string;
  context?: string;
}

export type Consistency = "quiesced" | "filesystem" | "crash";

export interface BackupRow {
  id: string;
  name: string;
  created_at: Time;
  bytes: number;
  scope: Scope;
  encryption: "none" | "passphrase" | "recipients";
  identity: "included" | "omitted";
  consistency: Consistency;
  pause_ms: number;
  verified_at: Time | null;
  schedule: string | null;
}

export interface BackupDetail extends BackupRow {
  source_did: string;
  bundle_sha256: string;
  record_count: number;
  thread_count: number;
  services: { name: string; version: string; schema: number }[];
  contexts: { name: string; id: number }[];
  /** What the pause went to: surfaces, and steps of no surface. */
  surfaces: {
    service: string;
    surface: string;
    context: string;
    kind: string;
    files: number;
    bytes: number;
    pause_ms: number;
  }[];
}

export interface OpenedBackup {
  handle: string;
  expires_at: Time;
}

export interface EntryPage {
  entries: { path: string; type: "file" | "directory" | "link"; bytes: number }[];
  cursor: string;
  has_more: boolean;
}

export interface Keep {
  last: number;
  daily: number;
  weekly: number;
  monthly: number;
}

export type Every = "hour" | "day" | "week";

export interface ScheduleSettings {
  at: string;
  zone: string;
  every: Every;
  to?: string;
  context?: string;
  recipients: string[];
  plaintext: boolean;
  keep: Keep;
}

export interface Schedule extends ScheduleSettings {
  name: string;
  next_at: Time | null;
  last_at: Time | null;
  /** The last run's, until it is read. */
  failure: { at: Time; job: string; error: ErrorBody } | null;
}

/** A backup key: the server has the recipient alone. Confirmed once its file was dropped back. */
export interface Recipient {
  recipient: string;
  label: string;
  created_at: Time | null;
  confirmed_at: Time | null;
}

export interface ContextRow {
  name: string;
  id: number;
  label: string;
  bytes?: number | null;
}

export interface TenantRow {
  name: string;
  state: "running" | "stopped" | "failed";
  address: string;
  bytes: number | null;
  last_backup_at: Time | null;
  limits: { memory_bytes: number | null; cpus: number | null; tasks: number | null; enforced: boolean };
}

export interface NewTenant {
  name: string;
  host?: string;
  memory_bytes?: number;
  cpus?: number;
  tasks?: number;
}

export interface ThreadRow {
  thread: string;
  state: string;
  records: number;
  last_sequence: number;
}

export interface RecordRow {
  id: string;
  record: { actor: string; act: string; thread: string; body?: unknown; clock: number; [member: string]: unknown };
  arrived_at?: Time;
}

export type FlatRecord = { id: string } & RecordRow["record"];

export interface FlatRecordPage {
  records: FlatRecord[];
  cursor: string;
  has_more: boolean;
}

export interface RecordPage {
  records: RecordRow[];
  cursor: string;
  has_more: boolean;
}

/** A search looks for two seconds and says how far it came. */
export interface SearchPage {
  records: RecordRow[];
  searched: number;
  total: number;
  cursor: string;
  has_more: boolean;
}

export interface PeerRow {
  pair_id: string;
  peer_did: string;
  peer_base_url: string;
  state: "establishing" | "active" | "paused" | "degraded" | "revoked";
  namespaces: string[];
  last_success: Time | null;
  lag_seconds: number | null;
  last_error: string | null;
  received: number;
  refused: number;
  two_copies: boolean;
}

export interface ActivityPage {
  entries: {
    at: Time;
    who: string;
    action: string;
    subject: string;
    outcome: "done" | "failed" | "refused";
    message: string;
  }[];
  cursor: string;
  has_more: boolean;
}

export interface SessionRow {
  id: string;
  created_at: Time;
  last_used_at: Time;
  address: string;
  agent: string;
  current: boolean;
}

export interface PasskeyRow {
  id: string;
  name: string;
  created_at: Time;
}

/** `spl router status -o json`. */
export interface RouterStatus {
  running: boolean;
  addresses: string[];
  certificate: { kind: "own" | "acme" | "files"; names: string[]; not_after: Time; sha256: string };
  routes: { service: string; route: string; address: string; access: "owner" | "open"; up: boolean }[];
}

/** What a browser has made, octets as base64url. */
export interface NewPasskey {
  name: string;
  id: string;
  client_data_json: string;
  attestation_object: string;
}

export interface PasskeyOptions {
  challenge: string;
  rp_id: string;
  user_id?: string;
  user_name?: string;
  credentials: string[];
}
