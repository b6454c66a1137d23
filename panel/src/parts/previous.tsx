import { useState } from "preact/hooks";
import { api } from "../api";
import { useDoing } from "../asking";
import { go } from "../router";
import { texts } from "../texts";
import { Confirm } from "./dialog";
import { ErrorNote } from "./states";

interface PreviousActionsProps {
  service: string;
  /** "" of a service that is not split. */
  context: string;
  onBegun?: ((job: string) => void) | undefined;
}

/** What was there before a restore: it is put back, or discarded for good. */
export function PreviousActions({ service, context, onBegun }: PreviousActionsProps) {
  const [discards, setDiscards] = useState(false);
  const doing = useDoing();
  const p = texts.previous;
  const begin = (kind: "swap_previous" | "discard_previous") =>
    doing.run(async () => {
      const { id } = await api.begin({ kind, service, context });
      setDiscards(false);
      if (onBegun) onBegun(id);
      else go(`activity?job=${encodeURIComponent(id)}`);
    });
  const name = [service, context].filter(Boolean).join(" / ");
  return (
    <>
      <span class="row">
        <button
          type="button"
          class="button"
          aria-label={p.swapNamed(name)}
          disabled={doing.busy}
          onClick={() => begin("swap_previous")}
        >
          {p.swap}
        </button>
        <button type="button" class="button danger" aria-label={p.discardNamed(name)} onClick={() => setDiscards(true)}>
          {p.discard}
        </button>
      </span>
      {discards ? (
        <Confirm
          title={p.discardTitle}
          text={p.discardText(name)}
          action={p.discard}
          busy={doing.busy}
          error={doing.error}
          onClose={() => setDiscards(false)}
          onConfirm={() => begin("discard_previous")}
        />
      ) : (
        <ErrorNote error={doing.error} />
      )}
    </>
  );
}
