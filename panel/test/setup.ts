import { webcrypto } from "node:crypto";

// Debian 12's Node has WebCrypto, but not under its global name.
if (!("crypto" in globalThis)) Object.defineProperty(globalThis, "crypto", { value: webcrypto });
