import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, api, asApiError, errorOf } from "./api";
import { Rate } from "./rate";
import { texts } from "./texts";
import type { Job, JobEnd, JobEvent } from "./types";

export interface Followed {
  job: Job | null;
  event: JobEvent | null;
  /** Units of `event` a second. */
  rate: number | null;
  notes: string[];
  error: ApiError | null;
}

const RETRY_MS = 3000;
const NOTES_KEPT = 200;

export function isOver(job: Job): boolean {
  return job.state !== "waiting" && job.state !== "running";
}

export function errorOfJob(job: Job): ApiError | null {
  if (job.error) return errorOf(job.error);
  if (job.state === "interrupted")
    return new ApiError("INTERRUPTED", texts.jobs.interrupted, texts.jobs.interruptedHint);
  return null;
}

/** Follows a job until its end, also over lost connections: the browser sends Last-Event-ID when it comes back. */
export function useJob(id: string | null, onEnd?: (job: Job) => void): Followed {
  const empty: Followed = { job: null, event: null, rate: null, notes: [], error: null };
  const [followed, setFollowed] = useState(empty);
  const ended = useRef(onEnd);
  ended.current = onEnd;

  useEffect(() => {
    setFollowed(empty);
    if (id === null) return;
    let source: EventSource | null = null;
    let timer = 0;
    let gone = false;
    const rate = new Rate();
    const update = (part: Partial<Followed>) => !gone && setFollowed((old) => ({ ...old, ...part }));

    const onMessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as JobEvent | JobEnd;
      if ("state" in event) {
        source?.close();
        void look();
        return;
      }
      if (event.message) {
        const note = event.message;
        setFollowed((old) => ({ ...old, notes: [...old.notes, note].slice(-NOTES_KEPT) }));
      }
      if (event.phase) update({ event, rate: rate.after(event.phase, event.done, performance.now()) });
    };
    const listen = () => {
      source = new EventSource(api.jobEventsPath(id));
      source.onmessage = onMessage;
      source.onopen = () => update({ error: null });
      source.onerror = () => {
        if (source?.readyState !== EventSource.CLOSED) return;
        timer = window.setTimeout(look, RETRY_MS);
      };
    };
    const look = async () => {
      try {
        const job = await api.job(id);
        update({ job, error: null });
        if (gone) return;
        if (isOver(job)) ended.current?.(job);
        else listen();
      } catch (error) {
        const failure = asApiError(error);
        update({ error: failure });
        if (failure.code === "DAEMON_GONE" && !gone) timer = window.setTimeout(look, RETRY_MS);
      }
    };
    void look();
    return () => {
      gone = true;
      source?.close();
      clearTimeout(timer);
    };
  }, [id]);
  return followed;
}
