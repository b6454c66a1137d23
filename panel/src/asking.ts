import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { asApiError, type ApiError } from "./api";

export interface Asked<T> {
  data: T | null;
  error: ApiError | null;
  again: () => Promise<void>;
}

/** Asks when the page comes and when `key` changes. What is shown stays until the new answer is there. */
export function useAsked<T>(ask: () => Promise<T>, key = ""): Asked<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: ApiError | null }>({
    key,
    data: null,
    error: null,
  });
  const turn = useRef(0);
  const again = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const data = await ask();
      if (mine === turn.current) setState({ key, data, error: null });
    } catch (error) {
      if (mine === turn.current)
        setState((old) => ({ key, data: old.key === key ? old.data : null, error: asApiError(error) }));
    }
  }, [key]);
  useEffect(() => {
    void again();
    return () => {
      turn.current++;
    };
  }, [again]);
  return { data: state.key === key ? state.data : null, error: state.error, again };
}

export interface Doing {
  busy: boolean;
  error: ApiError | null;
  run: (work: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

/** One action at a time, and why the last one failed. */
export function useDoing(): Doing {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const run = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
      return true;
    } catch (failure) {
      setError(asApiError(failure));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, clear: () => setError(null) };
}
