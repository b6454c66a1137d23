import { Decompress } from "fzstd";

// The layers of a bundle, told by the first octets: age, zstd, else tar.
export type Layer = "age" | "zstd" | "tar";
export type Octets = Uint8Array<ArrayBuffer>;

const AGE_MAGIC = "age-encryption.org/";
const TAR_BLOCK = 512;
const MANIFEST_MAX = 64 * 1024 * 1024;

export function layerOf(first: Uint8Array): Layer {
  if (new TextDecoder("latin1").decode(first.subarray(0, AGE_MAGIC.length)) === AGE_MAGIC) return "age";
  const [a = 0, b = 0, c = 0, d = 0] = first;
  const isFrame = a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd;
  const isSkippable = (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18;
  return isFrame || isSkippable ? "zstd" : "tar";
}

/** What an age file asks for, as its header says. */
export function keyWanted(first: Uint8Array): "passphrase" | "identity" {
  const header = new TextDecoder("latin1").decode(first.subarray(0, 4096));
  return /\n-> scrypt /.test(header) ? "passphrase" : "identity";
}

/** Hands out exact numbers of octets of a stream. */
export class OctetReader {
  private kept: Octets[] = [];
  private size = 0;
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.reader = stream.getReader();
  }

  private async fill(count: number): Promise<boolean> {
    while (this.size < count) {
      const { done, value } = await this.reader.read();
      if (done) return false;
      this.kept.push(value as Octets);
      this.size += value.length;
    }
    return true;
  }

  /** Null where the stream ends before. */
  async take(count: number): Promise<Octets | null> {
    if (!(await this.fill(count))) return null;
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.kept) {
      all.set(part, at);
      at += part.length;
    }
    const rest = all.slice(count);
    this.kept = [rest];
    this.size = rest.length;
    return all.slice(0, count);
  }

  async cancel(): Promise<void> {
    await this.reader.cancel().catch(() => {});
  }
}

export function decompressed(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>(
      (() => {
        let frames: Decompress;
        return {
          start(controller) {
            frames = new Decompress((chunk) => controller.enqueue(chunk.slice()));
          },
          transform(chunk) {
            frames.push(chunk);
          },
        };
      })(),
    ),
  );
}

export interface Entry {
  path: string;
  content: Octets;
}

/** The next file of a tar; null where there is none, or none of the form that a bundle begins with. */
export async function nextEntry(reader: OctetReader): Promise<Entry | null> {
  const header = await reader.take(TAR_BLOCK);
  if (!header) return null;
  const text = (from: number, length: number) =>
    new TextDecoder("latin1").decode(header.subarray(from, from + length)).replace(/\0.*$/s, "");
  const size = text(124, 12);
  if (text(257, 6) !== "ustar" || text(156, 1) !== "0" || !/^[0-7]{1,11}$/.test(size)) return null;
  const bytes = parseInt(size, 8);
  if (bytes > MANIFEST_MAX) return null;
  const padded = await reader.take(Math.ceil(bytes / TAR_BLOCK) * TAR_BLOCK);
  return padded && { path: text(0, 100), content: padded.slice(0, bytes) };
}
