import type { ComponentChildren } from "preact";
import type { ApiError } from "../api";
import type { Asked } from "../asking";
import { hintInPanel } from "../hints";
import { texts } from "../texts";

export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status">
      <div class="hidden">{texts.loading}</div>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

export function ErrorNote({ error, again }: { error: ApiError | null; again?: () => void }) {
  if (!error) return null;
  return (
    <div class="note stop" role="alert">
      <p>
        {texts.sentence(error.message)} <span class="code">{error.code}</span>
      </p>
      {error.hint && <p>{texts.sentence(hintInPanel(error.hint))}</p>}
      {again && (
        <p>
          <button type="button" class="button" onClick={again}>
            {texts.tryAgain}
          </button>
        </p>
      )}
    </div>
  );
}

interface LoadedProps<T> {
  asked: Asked<T>;
  lines?: number;
  children: (data: T) => ComponentChildren;
}

/** A skeleton, then the content; an error above what was there before. */
export function Loaded<T>({ asked, lines = 6, children }: LoadedProps<T>) {
  return (
    <>
      <ErrorNote error={asked.error} again={asked.again} />
      {asked.data !== null ? children(asked.data) : !asked.error && <Skeleton lines={lines} />}
    </>
  );
}

export function Empty({ title, text, children }: { title: string; text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{text}</p>
      {children && <div class="row">{children}</div>}
    </div>
  );
}

export function State({ tone, children }: { tone?: "ok" | "warn" | "stop" | undefined; children: ComponentChildren }) {
  return <span class={`state ${tone ?? ""}`}>{children}</span>;
}

export function Time({ at }: { at: string | null }) {
  if (at === null) return <>{texts.never}</>;
  return (
    <time dateTime={at} title={texts.time(at)}>
      {texts.relative(at)}
    </time>
  );
}
