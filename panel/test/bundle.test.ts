import { readFileSync } from "node:fs";
import { Encrypter } from "age-encryption";
import { describe, expect, test } from "vitest";
import { keyWanted, layerOf } from "../src/bundle/container";
import { openHead, type Head } from "../src/bundle/head";
import { makeBackupKey, recipientsIn } from "../src/bundle/key";
import { parseManifest } from "../src/bundle/manifest";
import { publicKeyOf } from "../src/bundle/signature";

// The bundles that spl's own tests keep for ever.
const golden = (name: string) => readFileSync(new URL(`../../tests/golden/${name}`, import.meta.url));
const fileOf = (octets: Uint8Array) => new Blob([new Uint8Array(octets)]);
const keyFile = golden("key.txt").toString();
const PASSPHRASE = "golden";

function opened(head: Head) {
  if (head.state !== "opened") throw new Error(head.state);
  return head;
}

describe("a bundle's beginning", () => {
  test.each(["v1.tar", "v1.tar.zst"])("is read from %s, and its signature checked", async (name) => {
    const head = opened(await openHead(fileOf(golden(name)), {}));
    expect(head.signature).toBe("good");
    expect(head.encrypted).toBe(false);
    expect(head.manifest).toEqual(JSON.parse(golden(`${name}.manifest.json`).toString()));
  });

  test("is read where only the beginning is there", async () => {
    const whole = golden("v1.tar");
    const head = opened(await openHead(fileOf(whole.subarray(0, whole.length / 2)), {}));
    expect(head.signature).toBe("good");
  });

  test("is refused where a letter of the manifest was changed", async () => {
    const changed = new Uint8Array(golden("v1.tar"));
    const at = Buffer.from(changed).indexOf('"record_count": ') + '"record_count": '.length;
    changed[at] = changed[at] === 0x39 ? 0x38 : 0x39;
    expect(opened(await openHead(fileOf(changed), {})).signature).toBe("bad");
  });

  test("wants the key that it is locked with", async () => {
    const locked = fileOf(golden("v1.recipient.tar.zst.age"));
    expect(await openHead(locked, {})).toEqual({ state: "key-wanted", wanted: "identity" });
    expect(await openHead(locked, { identity: (await makeBackupKey("other", new Date(0))).file })).toEqual({
      state: "key-wrong",
      wanted: "identity",
    });
    expect(await openHead(locked, { identity: "no key at all" })).toEqual({ state: "key-wrong", wanted: "identity" });
    expect(opened(await openHead(locked, { identity: keyFile }))).toMatchObject({ signature: "good", encrypted: true });
  });

  test("wants the passphrase that it is locked with", async () => {
    const locked = fileOf(golden("v1.passphrase.tar.zst.age"));
    expect(await openHead(locked, {})).toEqual({ state: "key-wanted", wanted: "passphrase" });
    expect(opened(await openHead(locked, { passphrase: PASSPHRASE })).signature).toBe("good");
  });

  test("says where a passphrase is wrong", async () => {
    const encrypter = new Encrypter();
    encrypter.setPassphrase("right");
    encrypter.setScryptWorkFactor(4);
    const locked = fileOf(await encrypter.encrypt(new Uint8Array(golden("v1.tar"))));
    expect(await openHead(locked, { passphrase: "wrong" })).toEqual({ state: "key-wrong", wanted: "passphrase" });
    expect(opened(await openHead(locked, { passphrase: "right" })).signature).toBe("good");
  });

  test.each([
    ["nothing", ""],
    ["text", "hello ".repeat(300)],
  ])("is not found in %s", async (_, text) => {
    await expect(openHead(new Blob([text]), {})).rejects.toThrow();
  });

  test("is refused where a newer program made it", () => {
    expect(() => parseManifest('{\n  "bundle_version": 2,\n  "new": true\n}')).toThrow("too-new");
  });
});

describe("the layers of a file", () => {
  test("are told by its first octets", () => {
    expect(layerOf(golden("v1.tar"))).toBe("tar");
    expect(layerOf(golden("v1.tar.zst"))).toBe("zstd");
    expect(layerOf(golden("v1.recipient.tar.zst.age"))).toBe("age");
    expect(keyWanted(golden("v1.passphrase.tar.zst.age"))).toBe("passphrase");
  });
});

describe("keys", () => {
  test("that are made have a file from which their recipient is read again", async () => {
    const key = await makeBackupKey("safe\n# not a line", new Date(0));
    expect(key.file).toContain("1970-01-01");
    expect(key.file.split("\n")[0]).toBe("# spl backup key: safe # not a line");
    expect(await recipientsIn(key.file)).toEqual([key.recipient]);
  });

  test("of signers are the 32 octets that their DID says", () => {
    expect(publicKeyOf("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")?.length).toBe(32);
    expect(publicKeyOf("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do0")).toBe(null);
    expect(publicKeyOf("did:web:example.org")).toBe(null);
  });
});
