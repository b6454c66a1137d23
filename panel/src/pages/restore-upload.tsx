import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api";
import { useDoing } from "../asking";
import { Progress } from "../parts/progress";
import { ErrorNote } from "../parts/states";
import { Rate } from "../rate";
import { texts } from "../texts";
import type { BundleKey } from "../types";
import { beginUpload, forgetUpload, type RunningUpload } from "../upload";
import { beginPreflight } from "./restore-plan";

type Stage = "ready" | "sending" | "paused" | "sent";

/** Sends the file in pieces, then has it checked. */
export function RestoreUpload({ file, bundleKey }: { file: File; bundleKey: BundleKey }) {
  const [stage, setStage] = useState<Stage>("ready");
  const [sent, setSent] = useState(0);
  const [rate, setRate] = useState<number | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const upload = useRef<RunningUpload | null>(null);
  const uploaded = useRef("");
  const measured = useRef(new Rate());
  const doing = useDoing();
  const r = texts.restore;

  useEffect(() => () => upload.current?.pause(), []);
  useEffect(() => {
    if (stage !== "sending") return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [stage]);

  const send = async () => {
    setError(null);
    setStage("sending");
    upload.current = await beginUpload(file, {
      onProgress: (done) => {
        setSent(done);
        setRate(measured.current.after("upload", done, performance.now()));
      },
      onError: (failure) => {
        setError(failure);
        setStage("paused");
      },
      onDone: (id) => {
        setStage("sent");
        setSent(file.size);
        uploaded.current = id;
        void check();
      },
    });
  };
  const check = () =>
    doing.run(async () => {
      await beginPreflight({ upload: uploaded.current }, bundleKey, {});
      forgetUpload(file);
    });
  const resume = () => {
    setError(null);
    setStage("sending");
    upload.current?.resume();
  };
  useEffect(() => {
    if (!error) return;
    addEventListener("online", resume);
    return () => removeEventListener("online", resume);
  }, [error]);
  const discard = async () => {
    await upload.current?.discard();
    setSent(0);
    setStage("ready");
    setError(null);
  };

  if (stage === "ready") {
    return (
      <div class="row">
        <button type="button" class="button main" onClick={send}>
          {r.upload}
        </button>
        <span class="quiet small">{r.uploadText}</span>
      </div>
    );
  }
  return (
    <>
      <Progress
        label={r.upload}
        done={sent}
        total={file.size}
        unit="bytes"
        rate={stage === "sending" ? rate : null}
        leftMs={null}
        isDone={stage === "sent"}
      />
      <ErrorNote error={error ?? doing.error} />
      {stage === "sent" && doing.error && (
        <div class="row">
          <button type="button" class="button main" onClick={check}>
            {r.check}
          </button>
        </div>
      )}
      {stage !== "sent" && (
        <div class="row">
          {stage === "sending" ? (
            <button
              type="button"
              class="button"
              onClick={() => {
                upload.current?.pause();
                setStage("paused");
              }}
            >
              {r.pause}
            </button>
          ) : (
            <button type="button" class="button main" onClick={resume}>
              {r.resume}
            </button>
          )}
          <button type="button" class="button danger" onClick={discard}>
            {r.discardUpload}
          </button>
        </div>
      )}
    </>
  );
}
