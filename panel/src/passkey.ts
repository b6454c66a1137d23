import { api, askAtDoor } from "./api";
import type { PasskeyOptions } from "./types";

// WebAuthn's octets go as base64url.
export function toBase64url(octets: ArrayBuffer): string {
  let text = "";
  for (const octet of new Uint8Array(octets)) text += String.fromCharCode(octet);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

const descriptors = (ids: string[]): PublicKeyCredentialDescriptor[] =>
  ids.map((id) => ({ type: "public-key", id: fromBase64url(id) }));

const TIMEOUT_MS = 120_000;
const ES256 = -7;
const EDDSA = -8;
const RS256 = -257;

export async function registerPasskey(name: string): Promise<void> {
  const options = await api.passkeyOptions();
  const made = (await navigator.credentials.create({
    publicKey: {
      challenge: fromBase64url(options.challenge),
      rp: { id: options.rp_id, name: "spl" },
      user: {
        id: fromBase64url(options.user_id ?? ""),
        name: options.user_name ?? "owner",
        displayName: options.user_name ?? "owner",
      },
      pubKeyCredParams: [ES256, EDDSA, RS256].map((alg) => ({ type: "public-key", alg })),
      excludeCredentials: descriptors(options.credentials),
      authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      attestation: "none",
      timeout: TIMEOUT_MS,
    },
  })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  await api.addPasskey({
    name,
    id: toBase64url(made.rawId),
    client_data_json: toBase64url(response.clientDataJSON),
    attestation_object: toBase64url(response.attestationObject),
  });
}

/** Makes a session where there is none, and a fresh proof where there is one. */
export async function signInWithPasskey(): Promise<void> {
  const answer = await askAtDoor("/v1/door/passkey", { step: "sign_in_options" });
  const options = (await answer.json()) as PasskeyOptions;
  const got = (await navigator.credentials.get({
    publicKey: {
      challenge: fromBase64url(options.challenge),
      rpId: options.rp_id,
      allowCredentials: descriptors(options.credentials),
      userVerification: "required",
      timeout: TIMEOUT_MS,
    },
  })) as PublicKeyCredential;
  const response = got.response as AuthenticatorAssertionResponse;
  await askAtDoor("/v1/door/passkey", {
    step: "sign_in",
    id: toBase64url(got.rawId),
    client_data_json: toBase64url(response.clientDataJSON),
    authenticator_data: toBase64url(response.authenticatorData),
    signature: toBase64url(response.signature),
  });
}
