import { Upload, type PreviousUpload } from "tus-js-client";
import { ApiError } from "./api";
import { texts } from "./texts";

const PIECE = 32 * 1024 * 1024;
const RETRIES_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000, 60_000];

export interface UploadWatcher {
  onProgress: (sent: number, total: number) => void;
  onDone: (id: string) => void;
  onError: (error: ApiError) => void;
}

export interface RunningUpload {
  pause: () => void;
  resume: () => void;
  /** Ends it here and on the server. */
  discard: () => Promise<void>;
}

export interface UnfinishedUpload {
  name: string;
  bytes: number;
  at: string;
}

// The same file, of the same size and date, goes on where it was cut, also after a reload.
const KEPT = "tus::spl|";
const fingerprintOf = (file: File) => ["spl", file.name, file.size, file.lastModified].join("|");

function uploadError(
  error: Error & { originalResponse?: { getStatus(): number; getBody(): string } | null },
): ApiError {
  const response = error.originalResponse;
  if (!response) return new ApiError("DAEMON_GONE", texts.errors.noAnswer, texts.restore.uploadGoesOn);
  try {
    const body = JSON.parse(response.getBody());
    return new ApiError(body.code, body.message, body.hint ?? "", response.getStatus());
  } catch {
    return new ApiError(`HTTP_${response.getStatus()}`, texts.errors.unexpected(response.getStatus()), "");
  }
}

export async function beginUpload(file: File, watcher: UploadWatcher): Promise<RunningUpload> {
  const upload = new Upload(file, {
    endpoint: "/v1/uploads",
    chunkSize: PIECE,
    retryDelays: RETRIES_MS,
    metadata: { filename: file.name },
    fingerprint: async () => fingerprintOf(file),
    onShouldRetry: (error) => {
      const status = error.originalResponse?.getStatus() ?? 0;
      return status === 0 || status === 423 || status === 429 || (status >= 500 && status !== 507);
    },
    onProgress: (sent, total) => watcher.onProgress(sent, total ?? file.size),
    onError: (error) => watcher.onError(uploadError(error)),
    onSuccess: () => watcher.onDone(upload.url?.split("/").pop() ?? ""),
  });
  const [previous] = await upload.findPreviousUploads();
  if (previous) upload.resumeFromPreviousUpload(previous);
  upload.start();
  return {
    pause: () => void upload.abort(),
    resume: () => upload.start(),
    discard: () => upload.abort(true).catch(() => {}),
  };
}

/** Once its check has begun, an upload need not go on after a reload. */
export function forgetUpload(file: File): void {
  for (const key of Object.keys(localStorage))
    if (key.startsWith(`tus::${fingerprintOf(file)}::`)) localStorage.removeItem(key);
}

/** Uploads that were begun in this browser and neither checked nor discarded, newest first. */
export function unfinishedUploads(): UnfinishedUpload[] {
  const found: UnfinishedUpload[] = [];
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(KEPT)) continue;
    const kept = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<PreviousUpload>;
    const name = kept.metadata?.["filename"];
    if (name && kept.creationTime) found.push({ name, bytes: kept.size ?? 0, at: kept.creationTime });
  }
  return found.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}
