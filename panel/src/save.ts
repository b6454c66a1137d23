const REVOKE_MS = 60_000;

/** Hands a text to the browser as a file to be saved. */
export function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  followDownload(url, name);
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}

export function followDownload(url: string, name = ""): void {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
