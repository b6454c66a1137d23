// A bundle that another home has made is dropped on the page: its beginning is opened in the browser, it is sent, cut,
// sent on, checked, confirmed, restored.
import assert from "node:assert/strict";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as b from "./kit/browser.mjs";
import { Machine, until } from "./kit/instance.mjs";
import { NOTES, declarationOf } from "./kit/services.mjs";

const PASSPHRASE = "a passphrase of the other home";
const LARGE_BYTES = 96 << 20;
// What Chromium says by itself while the daemon is away, and of an answer that is no success.
const AWAY = [/^Failed to load resource/];

describe("restore", () => {
  let machine, browser, home, source, target, page;
  const file = (name) => join(machine.directory, name);
  const noteNames = (instance) => readdir(join(instance.home, "data/notes/notes"));
  const write = async (instance, notes) => {
    const directory = join(instance.home, "data/notes/notes");
    await mkdir(directory, { recursive: true });
    for (const [name, content] of Object.entries(notes)) await writeFile(join(directory, name), content);
  };

  before(async () => {
    machine = await Machine.make();
    await writeFile(file("notes.py"), NOTES);
    await writeFile(file("passphrase"), PASSPHRASE);
    const services = { notes: declarationOf("notes", machine.directory) };
    source = await machine.instance({ services });
    await write(source, { first: "one\n", second: "two\n" });
    await source.spl("know", "the sky is blue", "--thread", "weather");
    await source.spl("export", "--out", file("plain.spl"), "--plaintext");
    await source.spl("export", "--out", file("nobodys.spl"), "--plaintext", "--no-identity");
    await source.spl("export", "--out", file("locked.spl"), "--passphrase-file", file("passphrase"));
    await write(source, { third: randomBytes(LARGE_BYTES) });
    await source.spl("export", "--out", file("large.spl"), "--plaintext", "--uncompressed");
    await writeFile(file("nothing.spl"), "this is no backup\n");

    target = await machine.instance({ services });
    await target.open();
    home = await b.makeProfile(machine.directory, [target]);
    browser = await b.launch(home);
    page = await b.openPage(browser);
    await b.claim(page, target);
  });
  after(async () => {
    await browser?.close();
    await machine?.close();
  });

  const toRestore = () => page.goto(`${target.panel}/-/restore`);

  test("what is no backup is said at once", async () => {
    await toRestore();
    await page.getByText("Drop a backup here").waitFor();
    await b.drop(page, file("nothing.spl"));
    await page.getByRole("alert").filter({ hasText: "no backup" }).waitFor();
    await b.assertWell(page);
    b.assertSilent(page);
  });

  test("a wrong passphrase is said before anything is sent", async () => {
    const sent = [];
    page.on("request", (request) => request.method() !== "GET" && sent.push(request.url()));
    await toRestore();
    await page.getByText("Drop a backup here").waitFor();
    await b.drop(page, file("locked.spl"));
    await page.getByLabel("Passphrase").fill("another passphrase");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("alert").filter({ hasText: "does not open it" }).waitFor();
    await b.assertWell(page);
    await page.getByLabel("Passphrase").fill(PASSPHRASE);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("nothing has been changed").waitFor();
    assert.deepEqual(sent, []);
    await b.assertWell(page);
    b.assertSilent(page);
  });

  test("a missing secret stops it; it is entered in place, and the encrypted bundle is restored", async () => {
    await page.getByRole("button", { name: "Upload and check" }).click();
    await page.getByRole("heading", { name: "What the check found" }).waitFor();
    await page.getByText(/stands? in the way/).waitFor();
    assert.equal(await page.getByRole("button", { name: "Restore now" }).count(), 0);
    await b.assertWell(page);
    await page.getByLabel("notes/greeting").fill("welcome back");
    await page.getByRole("button", { name: "Save the secrets and check again" }).click();
    await page.getByText("Nothing stands in the way.").waitFor();
    const restore = page.getByRole("button", { name: "Restore now" });
    await restore.click();
    await b.prove(page, page.getByText(/^Restored in/));
    await page.getByText(/^Restored in/).waitFor();
    await page.getByText(/counts?, all as promised$/).click();
    await page.getByRole("columnheader", { name: "Promised" }).waitFor();
    await b.assertWell(page);
    assert.deepEqual((await noteNames(target)).sort(), ["first", "second"]);
    assert.equal((await target.json("status")).record_count, (await source.json("status")).record_count);
    b.assertSilent(page);
  });

  test("an older one is stopped; what is replaced is typed by name, and the state before is kept", async () => {
    await write(target, { mine: "written here\n" });
    await toRestore();
    await page.getByText("Drop a backup here").waitFor();
    await b.drop(page, file("plain.spl"));
    await page.getByRole("button", { name: "Upload and check" }).click();
    await page.getByRole("heading", { name: "What the check found" }).waitFor();
    // It was made before the one that is here.
    await page.getByText("A newer bundle of it was restored here before.").waitFor();
    await page.getByText("Rarely needed", { exact: true }).click();
    await page.getByLabel(/^It may be older/).check();
    await page.getByLabel(/^Replace what is here already/).check();
    await page.getByRole("button", { name: "Check again" }).click();
    await page.getByText("Nothing stands in the way.").waitFor();
    const restore = page.getByRole("button", { name: "Restore now" });
    assert.ok(await restore.isDisabled());
    await page.getByLabel("Type “notes” to confirm").fill("nots");
    assert.ok(await restore.isDisabled());
    await page.getByLabel("Type “notes” to confirm").fill("notes");
    await restore.click();
    await b.prove(page, page.getByText(/^Restored in/));
    await page.getByText(/^Restored in/).waitFor();
    await b.assertWell(page);
    assert.deepEqual((await noteNames(target)).sort(), ["first", "second"]);
    b.assertSilent(page);
  });

  test("what would be refused is said by the check, and cannot be begun", async () => {
    await toRestore();
    await page.getByText("Drop a backup here").waitFor();
    await b.drop(page, file("nobodys.spl"));
    await page.getByRole("button", { name: "Upload and check" }).click();
    await page.getByText("Rarely needed", { exact: true }).click();
    await page.getByLabel(/^It may be older/).check();
    await page.getByLabel(/^Replace what is here already/).check();
    await page.getByRole("button", { name: "Check again" }).click();
    await page.getByText("has no identity").waitFor();
    await page.getByText("Do first what the check asks for").waitFor();
    assert.equal(await page.getByRole("button", { name: "Restore now" }).count(), 0);
    b.assertSilent(page);
  });

  test("an upload that a killed daemon has cut goes on", async () => {
    const away = await b.openPage(browser, { allowed: AWAY, storageState: await page.context().storageState() });
    const offsets = watchOffsets(away);
    await away.goto(`${target.panel}/-/restore`);
    const before = await storedBytes(target);
    await slow(away);
    await chooseLarge(away);
    await until(async () => (await storedBytes(target)) - before > 1 << 20, "a part of the upload");
    await target.kill();
    await away
      .getByText(/does not answer|did not answer|goes on/)
      .or(away.getByRole("progressbar"))
      .first()
      .waitFor();
    await target.serve();
    await fast(away);
    await goOn(away);
    assert.ok(Math.max(...offsets) > 0, `no piece was sent on: ${offsets}`);
    await away.context().close();
  });

  test("an upload that a killed browser has cut goes on in the next", async () => {
    const first = await b.launchLasting(home);
    await first.context.addCookies((await page.context().storageState()).cookies);
    const cut = b.watched(await first.context.newPage());
    await cut.goto(`${target.panel}/-/restore`);
    const before = await storedBytes(target);
    await slow(cut);
    await chooseLarge(cut);
    await until(async () => (await storedBytes(target)) - before > 1 << 20, "a part of the upload");
    await b.storageWritten(first.profile, "tus::spl|large.spl");
    const ended = new Promise((resolve) => first.context.once("close", resolve));
    process.kill(first.pid, "SIGKILL");
    await ended;

    const second = await b.launchLasting(home);
    await second.context.addCookies((await page.context().storageState()).cookies);
    const next = b.watched(await second.context.newPage());
    const offsets = watchOffsets(next);
    await next.goto(`${target.panel}/-/restore`);
    await next.getByText("Choose the same file again").waitFor();
    await b.assertWell(next);
    await chooseLarge(next);
    await goOn(next);
    assert.ok(offsets[0] > 0, `it began again: ${offsets}`);
    b.assertSilent(next);
    await second.context.close();
  });

  function watchOffsets(watched) {
    const offsets = [];
    watched.on("request", (request) => {
      if (request.method() === "PATCH") offsets.push(Number(request.headers()["upload-offset"]));
    });
    return offsets;
  }
  async function chooseLarge(watched) {
    await watched.getByText("Drop a backup here").waitFor();
    await b.drop(watched, file("large.spl"));
    await watched.getByRole("button", { name: "Upload and check" }).click();
  }
  /** To the report: whatever it says, the whole file is there. */
  async function goOn(watched) {
    const report = watched.getByRole("heading", { name: "What the check found" });
    const again = watched.getByRole("button", { name: "Go on" });
    await report.or(again).first().waitFor();
    if (await again.isVisible()) await again.click();
    await report.waitFor();
  }
});

/** A slow line, so that there is time to cut it. */
async function slow(page) {
  page.line = await page.context().newCDPSession(page);
  await page.line.send("Network.enable");
  await page.line.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 1,
    downloadThroughput: -1,
    uploadThroughput: 4 << 20,
  });
}
async function fast(page) {
  await page.line.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1,
  });
}

/** How much of all uploads the daemon has. */
async function storedBytes(instance) {
  const directory = join(instance.home, "uploads");
  const names = (await readdir(directory)).filter((name) => name.endsWith(".part"));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
