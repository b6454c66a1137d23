import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api";
import { texts } from "../texts";
import { TextField } from "./field";
import { ErrorNote } from "./states";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  /** Typed before the action is possible. */
  typed?: string | undefined;
  busy: boolean;
  error: ApiError | null;
  onConfirm: () => void;
  onClose: () => void;
  children?: ComponentChildren;
}

export function Confirm({ title, text, action, typed, busy, error, onConfirm, onClose, children }: ConfirmProps) {
  const [value, setValue] = useState("");
  const isReady = !typed || value === typed;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !busy) onConfirm();
        }}
      >
        <p>{text}</p>
        {children}
        {typed && <TextField label={texts.typeName(typed)} value={value} onValue={setValue} />}
        <ErrorNote error={error} />
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="button danger" disabled={!isReady || busy}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
