import { asApiError } from "./api";
import { signInWithPasskey } from "./passkey";
import type { Door } from "./types";

// The page signs in by password without any script; this adds the passkey, where there is one.
const button = document.getElementById("passkey");
const fault = document.getElementById("passkey-error");

async function signIn(): Promise<void> {
  if (fault) fault.hidden = true;
  try {
    await signInWithPasskey();
    location.assign("/-/overview");
  } catch (error) {
    if (!fault) return;
    fault.textContent = asApiError(error).message;
    fault.hidden = false;
  }
}

if (button && "PublicKeyCredential" in window) {
  const door = (await (await fetch("/v1/door")).json()) as Door;
  button.hidden = !door.passkey;
  button.addEventListener("click", () => void signIn());
}
