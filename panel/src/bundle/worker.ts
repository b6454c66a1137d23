import { openHead } from "./head";
import { makeBackupKey, recipientsIn } from "./key";

// age's passphrases take seconds of a processor: that, and all else of age, happens here, so that the page goes on.
const work = { openHead, makeBackupKey, recipientsIn };

export type Work = typeof work;
export type WorkName = keyof Work;

export interface WorkOrder {
  id: number;
  name: WorkName;
  given: unknown[];
}

export interface WorkAnswer {
  id: number;
  result?: unknown;
  error?: string;
}

self.onmessage = async ({ data }: MessageEvent<WorkOrder>) => {
  const answer: WorkAnswer = { id: data.id };
  try {
    answer.result = await (work[data.name] as (...given: unknown[]) => unknown)(...data.given);
  } catch (error) {
    answer.error = error instanceof Error ? error.message : String(error);
  }
  self.postMessage(answer);
};
