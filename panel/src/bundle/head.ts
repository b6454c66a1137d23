import { Decrypter } from "age-encryption";
import type { BundleKey } from "../types";
import { OctetReader, decompressed, keyWanted, layerOf, nextEntry } from "./container";
import { ManifestError, parseManifest, type Manifest } from "./manifest";
import { checkSignature, type SignatureState } from "./signature";
import { identitiesIn } from "./key";

export type Head =
  | { state: "opened"; manifest: Manifest; signature: SignatureState; encrypted: boolean }
  | { state: "key-wanted"; wanted: "passphrase" | "identity" }
  | { state: "key-wrong"; wanted: "passphrase" | "identity" }
  /** Encrypted in a way that this browser does not open; the server will. */
  | { state: "unread"; wanted: "passphrase" | "identity" };

const FIRST_OCTETS = 4096;

/** Reads a bundle's first two entries, and of the file no more than they take. */
export async function openHead(file: Blob, key: BundleKey): Promise<Head> {
  const first = new Uint8Array(await file.slice(0, FIRST_OCTETS).arrayBuffer());
  let stream: ReadableStream<Uint8Array> = file.stream();
  let layer = layerOf(first);
  const encrypted = layer === "age";
  if (encrypted) {
    const wanted = keyWanted(first);
    const decrypted = await decryptedWith(stream, key, wanted);
    if (typeof decrypted === "string") return { state: decrypted, wanted };
    stream = decrypted;
    const [peek, rest] = stream.tee();
    const reader = new OctetReader(peek);
    layer = layerOf((await reader.take(4)) ?? new Uint8Array());
    void reader.cancel();
    stream = rest;
  }
  if (layer === "zstd") stream = decompressed(stream);
  return { state: "opened", encrypted, ...(await readHead(stream)) };
}

async function decryptedWith(
  stream: ReadableStream<Uint8Array>,
  key: BundleKey,
  wanted: "passphrase" | "identity",
): Promise<ReadableStream<Uint8Array> | "key-wanted" | "key-wrong" | "unread"> {
  const decrypter = new Decrypter();
  if (wanted === "passphrase") {
    if (key.passphrase === undefined) return "key-wanted";
    decrypter.addPassphrase(key.passphrase);
  } else {
    if (key.identity === undefined) return "key-wanted";
    const identities = identitiesIn(key.identity);
    if (identities.length === 0) return "key-wrong";
    for (const identity of identities) decrypter.addIdentity(identity);
  }
  try {
    return await decrypter.decrypt(stream);
  } catch (error) {
    return String(error).includes("work factor") ? "unread" : "key-wrong";
  }
}

async function readHead(
  stream: ReadableStream<Uint8Array>,
): Promise<{ manifest: Manifest; signature: SignatureState }> {
  const reader = new OctetReader(stream);
  try {
    const manifest = await nextEntry(reader);
    if (manifest?.path !== "manifest.json") throw new ManifestError("not-a-bundle");
    const signature = await nextEntry(reader);
    if (signature?.path !== "manifest.sig" || signature.content.length !== 64) throw new ManifestError("not-a-bundle");
    const parsed = parseManifest(new TextDecoder("utf-8", { fatal: true }).decode(manifest.content));
    return {
      manifest: parsed,
      signature: await checkSignature(parsed.source_did, manifest.content, signature.content),
    };
  } finally {
    void reader.cancel();
  }
}
