import { askForProof } from "./proof";
import { texts } from "./texts";
import type * as t from "./types";

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly status = 0,
  ) {
    super(message);
  }
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError("FAILED", error instanceof Error ? error.message : String(error), "");
}

/** An error that stands in an answer. */
export function errorOf({ code, message, hint }: t.ErrorBody): ApiError {
  return new ApiError(code, message, hint);
}

async function errorIn(response: Response): Promise<ApiError> {
  const body: Partial<t.ErrorBody> | null = await response.json().catch(() => null);
  return new ApiError(
    body?.code ?? `HTTP_${response.status}`,
    body?.message ?? texts.errors.unexpected(response.status),
    body?.hint ?? "",
    response.status,
  );
}

async function fetchOnce(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Response> {
  const init: RequestInit = { method, credentials: "same-origin", cache: "no-store", ...(headers ? { headers } : {}) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  try {
    return await fetch(path, init);
  } catch {
    throw new ApiError("DAEMON_GONE", texts.errors.noAnswer, texts.errors.noAnswerHint);
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

async function ask(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Response> {
  for (;;) {
    const response = await fetchOnce(method, path, body, headers);
    if (response.ok) return response;
    const error = await errorIn(response);
    if (error.code === "UNCLAIMED") {
      location.assign("/-/claim");
      return never();
    }
    if (response.status === 401) {
      location.assign("/-/sign-in");
      return never();
    }
    if (error.code !== "PROOF_REQUIRED" || !(await askForProof())) throw error;
  }
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await ask(method, path, body)).json() as Promise<T>;
}

async function done(method: string, path: string, body?: unknown): Promise<void> {
  await ask(method, path, body);
}

const get = <T>(path: string) => json<T>("GET", path);
const enc = encodeURIComponent;
const handlePath = (handle: string) => handle.split("/").map(enc).join("/");
const query = (values: Record<string, string | number | undefined>) => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== "") search.set(name, String(value));
  const text = search.toString();
  return text ? `?${text}` : "";
};

/** `GET /v1/records` has the members of a record beside its id. */
const recordRow = ({ id, ...record }: t.FlatRecord): t.RecordRow => ({ id, record });

/** Where a 401 is an answer that is shown, and no reason to sign in. */
export async function askAtDoor(path: "/v1/door/proof" | "/v1/door/passkey", body: unknown): Promise<Response> {
  const response = await fetchOnce("POST", path, body);
  if (!response.ok) throw await errorIn(response);
  return response;
}

export const api = {
  overview: () => get<t.Overview>("/v1/overview"),
  catalog: () => get<t.CatalogRow[]>("/v1/catalog"),
  inventory: () => get<t.InventoryRow[]>("/v1/inventory"),
  service: (name: string) => get<t.ServiceDetail>(`/v1/services/${enc(name)}`),
  serviceLog: (name: string) => get<t.ServiceLog>(`/v1/services/${enc(name)}/logs`),

  secrets: () => get<t.SecretRow[]>("/v1/secrets"),
  setSecret: (handle: string, value: string) => done("PUT", `/v1/secrets/${handlePath(handle)}`, { value }),
  deleteSecret: (handle: string) => done("DELETE", `/v1/secrets/${handlePath(handle)}`),

  jobs: () => get<t.Job[]>("/v1/jobs"),
  job: (id: string) => get<t.Job>(`/v1/jobs/${enc(id)}`),
  begin: (request: t.JobRequest) => json<{ id: string }>("POST", "/v1/jobs", request),
  cancelJob: (id: string) => done("DELETE", `/v1/jobs/${enc(id)}`),
  jobEventsPath: (id: string) => `/v1/jobs/${enc(id)}/events`,

  backups: () => get<t.BackupRow[]>("/v1/backups"),
  backup: (id: string) => get<t.BackupDetail>(`/v1/backups/${enc(id)}`),
  deleteBackup: (id: string) => done("DELETE", `/v1/backups/${enc(id)}`),
  backupFilePath: (id: string) => `/v1/backups/${enc(id)}/file`,
  /** Asks for one byte, so that a missing proof is asked for before the browser follows the link. */
  tryDownload: async (id: string) => {
    await ask("GET", `/v1/backups/${enc(id)}/file`, undefined, { range: "bytes=0-0" });
  },
  openBackup: (id: string, key: t.BundleKey) => json<t.OpenedBackup>("POST", `/v1/backups/${enc(id)}/open`, key),
  openedEntries: (handle: string, prefix: string, cursor?: string) =>
    get<t.EntryPage>(`/v1/opened/${enc(handle)}/entries${query({ prefix, cursor })}`),
  openedFilePath: (handle: string, path: string) => `/v1/opened/${enc(handle)}/file${query({ path })}`,

  schedules: () => get<t.Schedule[]>("/v1/schedules"),
  setSchedule: (name: string, schedule: t.ScheduleSettings) => done("PUT", `/v1/schedules/${enc(name)}`, schedule),
  deleteSchedule: (name: string) => done("DELETE", `/v1/schedules/${enc(name)}`),
  runSchedule: (name: string) => json<{ id: string }>("POST", `/v1/schedules/${enc(name)}/run`),
  readScheduleFailure: (name: string) => done("POST", `/v1/schedules/${enc(name)}/read`),

  recipients: () => get<t.Recipient[]>("/v1/recipients"),
  addRecipient: (recipient: string, label: string) => done("POST", "/v1/recipients", { recipient, label }),
  confirmRecipient: (recipient: string) => done("PUT", `/v1/recipients/${enc(recipient)}`, { confirmed: true }),
  deleteRecipient: (recipient: string) => done("DELETE", `/v1/recipients/${enc(recipient)}`),

  contexts: () => get<t.ContextRow[]>("/v1/contexts"),
  addContext: (context: { name: string; id?: number; label?: string }) => done("POST", "/v1/contexts", context),

  tenants: () => get<t.TenantRow[]>("/v1/tenants"),
  addTenant: (tenant: t.NewTenant) => done("POST", "/v1/tenants", tenant),
  startTenant: (name: string) => done("POST", `/v1/tenants/${enc(name)}/start`),
  stopTenant: (name: string) => done("POST", `/v1/tenants/${enc(name)}/stop`),

  threads: async () => (await get<{ data: t.ThreadRow[] }>("/v1/threads")).data,
  records: async (thread: string, since: string): Promise<t.RecordPage> => {
    const page = await get<t.FlatRecordPage>(`/v1/records${query({ thread, since, limit: 50 })}`);
    return { ...page, records: page.records.map(recordRow) };
  },
  search: (q: string, cursor?: string) => get<t.SearchPage>(`/v1/search${query({ q, cursor })}`),

  peers: () => get<t.PeerRow[]>("/v1/peers"),
  pair: (url: string) => done("POST", "/v1/peers", { url }),
  pausePeer: (did: string) => done("POST", `/v1/peers/${enc(did)}/pause`),
  resumePeer: (did: string) => done("POST", `/v1/peers/${enc(did)}/resume`),
  refreshPeer: (did: string) => done("POST", `/v1/peers/${enc(did)}/refresh`),

  activity: (cursor?: string) => get<t.ActivityPage>(`/v1/activity${query({ cursor })}`),

  door: () => get<t.Door>("/v1/door"),
  sessions: () => get<t.SessionRow[]>("/v1/door/sessions"),
  endSession: (id: string) => done("DELETE", `/v1/door/sessions/${enc(id)}`),
  signOut: () => done("POST", "/v1/door/sign-out"),
  setPassword: (password: string) => done("POST", "/v1/door/password", { password }),
  passkeys: () => get<t.PasskeyRow[]>("/v1/door/passkeys"),
  passkeyOptions: () => json<t.PasskeyOptions>("POST", "/v1/door/passkey", { step: "register_options" }),
  addPasskey: (made: t.NewPasskey) => done("POST", "/v1/door/passkey", { step: "register", ...made }),
  deletePasskey: (id: string) => done("DELETE", `/v1/door/passkeys/${enc(id)}`),
  router: () => get<t.RouterStatus>("/v1/router"),
};
