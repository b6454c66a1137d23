import { useEffect, useState } from "preact/hooks";
import type { Head } from "../bundle/head";
import { openHead } from "../bundle/work";
import { BundleFacts } from "../parts/bundle-facts";
import { FileButton } from "../parts/field";
import { KeyFields } from "../parts/key-fields";
import { Card } from "../parts/page";
import { Time } from "../parts/states";
import { texts } from "../texts";
import type { BundleKey } from "../types";
import { unfinishedUploads } from "../upload";
import { bytesText } from "../units";
import { RestoreUpload } from "./restore-upload";

interface Chosen {
  file: File;
  head: Head | null;
  key: BundleKey;
  fault: string;
}

function faultText(error: unknown): string {
  const isTooNew = error instanceof Error && error.message === "too-new";
  return isTooNew ? texts.restore.tooNew : texts.restore.notABundle;
}

/** A file is dropped anywhere on the page, or chosen by the button; its beginning is opened here, before any upload. */
export function RestoreDrop() {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [opens, setOpens] = useState(false);

  const open = async (file: File, key: BundleKey) => {
    setOpens(true);
    try {
      const head = await openHead(file, key);
      setChosen({ file, head, key, fault: "" });
    } catch (error) {
      setChosen({ file, head: null, key, fault: faultText(error) });
    } finally {
      setOpens(false);
    }
  };
  const isOver = useDroppedFile((file) => void open(file, {}));

  if (!chosen?.head)
    return <Choose isOver={isOver} opens={opens} fault={chosen?.fault ?? ""} onFile={(file) => open(file, {})} />;
  return (
    <ChosenFile chosen={chosen} opens={opens} onKey={(key) => open(chosen.file, key)} onOther={() => setChosen(null)} />
  );
}

function useDroppedFile(onFile: (file: File) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent) => {
      event.preventDefault();
      setIsOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setIsOver(false);
      const file = event.dataTransfer?.files[0];
      if (file) onFile(file);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [onFile]);
  return isOver;
}

interface ChooseProps {
  isOver: boolean;
  opens: boolean;
  fault: string;
  onFile: (file: File) => void;
}

function Choose({ isOver, opens, fault, onFile }: ChooseProps) {
  const r = texts.restore;
  const unfinished = unfinishedUploads();
  return (
    <>
      {fault && (
        <p class="note stop" role="alert">
          {fault}
        </p>
      )}
      {unfinished.map((upload) => (
        <p key={upload.name + upload.at} class="note warn">
          {r.unfinished(upload.name, bytesText(upload.bytes))} <Time at={new Date(upload.at).toISOString()} />.{" "}
          {r.unfinishedHint}
        </p>
      ))}
      <div class="drop" data-over={isOver}>
        <h2>{opens ? r.opening : r.drop}</h2>
        <p class="quiet">{r.dropText}</p>
        <FileButton text={r.choose} main onFile={onFile} />
      </div>
    </>
  );
}

interface ChosenFileProps {
  chosen: Chosen;
  opens: boolean;
  onKey: (key: BundleKey) => void;
  onOther: () => void;
}

function ChosenFile({ chosen, opens, onKey, onOther }: ChosenFileProps) {
  const { file, head, key } = chosen;
  const r = texts.restore;
  const isBad = head?.state === "opened" && head.signature === "bad";
  return (
    <Card
      title={file.name}
      lead={bytesText(file.size)}
      actions={
        <button type="button" class="button bare" onClick={onOther}>
          {r.other}
        </button>
      }
    >
      <div class="form">
        {(head?.state === "key-wanted" || head?.state === "key-wrong") && (
          <KeyFields
            wanted={head.wanted}
            busy={opens}
            action={r.openFile}
            fault={head.state === "key-wrong" ? r.keyWrong[head.wanted] : undefined}
            onKey={onKey}
          />
        )}
        {head?.state === "unread" && <p class="note warn">{r.unread}</p>}
        {head?.state === "opened" && (
          <>
            <p class={`note ${{ good: "ok", bad: "stop", unchecked: "warn" }[head.signature]}`}>
              {r.signature[head.signature]}
            </p>
            <BundleFacts manifest={head.manifest} />
          </>
        )}
        {(head?.state === "opened" || head?.state === "unread") && !isBad && (
          <RestoreUpload file={file} bundleKey={key} />
        )}
      </div>
    </Card>
  );
}
