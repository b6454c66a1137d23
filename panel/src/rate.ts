const WINDOW_MS = 10_000;

/** Units a second over the last ten seconds of a phase; null until a second of it is known. */
export class Rate {
  private phase = "";
  private seen: { at: number; done: number }[] = [];

  after(phase: string, done: number | null, at: number): number | null {
    if (phase !== this.phase) {
      this.phase = phase;
      this.seen = [];
    }
    if (done === null) return null;
    this.seen.push({ at, done });
    this.seen = this.seen.filter((point) => at - point.at <= WINDOW_MS);
    const first = this.seen[0];
    if (!first || at - first.at < 1000) return null;
    return ((done - first.done) * 1000) / (at - first.at);
  }
}

/** 100 only where the work is known to be done. */
export function percentOf(done: number | null, total: number | null, isDone: boolean): number | null {
  if (isDone) return 100;
  if (done === null || total === null || total === 0) return null;
  return Math.min(99, Math.floor((done / total) * 100));
}
