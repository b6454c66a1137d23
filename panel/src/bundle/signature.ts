// A did:key of an Ed25519 key says the key itself: "z" and base58 of 0xed 0x01 and 32 octets.
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const PREFIX = "did:key:z";

function base58(text: string): Uint8Array | null {
  let value = 0n;
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return null;
    value = value * 58n + BigInt(digit);
  }
  const octets: number[] = [];
  for (; value > 0n; value >>= 8n) octets.unshift(Number(value & 0xffn));
  return Uint8Array.from(octets);
}

export function publicKeyOf(did: string): Uint8Array<ArrayBuffer> | null {
  if (!did.startsWith(PREFIX) || did.length > 80) return null;
  const octets = base58(did.slice(PREFIX.length));
  if (!octets || octets.length !== 34 || octets[0] !== 0xed || octets[1] !== 0x01) return null;
  return new Uint8Array(octets.slice(2));
}

export type SignatureState = "good" | "bad" | "unchecked";

/** "unchecked" where the browser has no Ed25519: the server checks it again in any case. */
export async function checkSignature(
  did: string,
  signed: BufferSource,
  signature: BufferSource,
): Promise<SignatureState> {
  const octets = publicKeyOf(did);
  if (!octets) return "bad";
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey("raw", octets, "Ed25519", false, ["verify"]);
  } catch {
    return "unchecked";
  }
  return (await crypto.subtle.verify("Ed25519", key, signature, signed)) ? "good" : "bad";
}
