import type { Work, WorkAnswer, WorkName, WorkOrder } from "./worker";

// What the worker does, for the pages.
interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | null = null;
let lastId = 0;

function begin(): Worker {
  const begun = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  begun.onmessage = ({ data }: MessageEvent<WorkAnswer>) => {
    const who = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error === undefined) who?.resolve(data.result);
    else who?.reject(new Error(data.error));
  };
  begun.onerror = (event) => {
    for (const who of waiting.values()) who.reject(new Error(event.message));
    waiting.clear();
    worker = null;
  };
  return begun;
}

function ask<N extends WorkName>(name: N) {
  return (...given: Parameters<Work[N]>): Promise<Awaited<ReturnType<Work[N]>>> =>
    new Promise((resolve, reject) => {
      worker ??= begin();
      const order: WorkOrder = { id: ++lastId, name, given };
      waiting.set(order.id, { resolve: resolve as Waiting["resolve"], reject });
      worker.postMessage(order);
    });
}

export const openHead = ask("openHead");
export const makeBackupKey = ask("makeBackupKey");
export const recipientsIn = ask("recipientsIn");
