// Debian's Chromium with a profile of its own, whose NSS database trusts the instance's authority. It notes what no page
// may do: say something on the console, break its policy, ask another host.
import assert from "node:assert/strict";
import { mkdir, readFile, readlink, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { HOST, PASSWORD, run, until } from "./instance.mjs";

const CHROMIUM = "/usr/bin/chromium";
const WAIT_MS = 60_000;
const axe = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** A home for browsers in which the instances' authorities are trusted. */
export async function makeProfile(directory, instances) {
  const home = join(directory, "browser");
  const database = join(home, ".pki/nssdb");
  await mkdir(database, { recursive: true });
  await run(["certutil", "-d", `sql:${database}`, "-N", "--empty-password"]);
  for (const instance of instances) {
    const file = join(directory, "authority.pem");
    await writeFile(file, await instance.spl("router", "trust"));
    await run(["certutil", "-d", `sql:${database}`, "-A", "-t", "C,,", "-n", instance.home, "-i", file]);
  }
  return home;
}

function launchOptions(home) {
  return {
    executablePath: CHROMIUM,
    env: { ...process.env, HOME: home },
    args: [
      `--host-resolver-rules=MAP ${HOST} 127.0.0.1, MAP *.${HOST} 127.0.0.1`,
      "--disable-background-networking",
      "--disable-component-update",
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
    ],
  };
}

export const launch = (home) => chromium.launch(launchOptions(home));

/** A browser that remembers, as a person's does, and that can be killed. */
export async function launchLasting(home) {
  const profile = join(home, "lasting");
  const context = await chromium.launchPersistentContext(profile, { ...launchOptions(home), ...view(1280, "light") });
  const pid = Number((await readlink(join(profile, "SingletonLock"))).split("-").at(-1));
  return { context, pid, profile };
}

const view = (width, theme) => ({ viewport: { width, height: 860 }, colorScheme: theme, acceptDownloads: true });

/** A page that is watched. `allowed` are patterns of what the console may say here. */
export async function openPage(browser, { width = 1280, theme = "light", allowed = [], ...options } = {}) {
  const context = await browser.newContext({ ...view(width, theme), locale: "en-GB", ...options });
  const page = await context.newPage();
  return watched(page, allowed);
}

export function watched(page, allowed = []) {
  page.setDefaultTimeout(WAIT_MS);
  page.faults = [];
  page.allowed = allowed;
  const fault = (text) => {
    if (!page.allowed.some((pattern) => pattern.test(text))) page.faults.push(text);
  };
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && fault(message.text()));
  page.on("pageerror", (error) => fault(`threw ${error.stack ?? error}`));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (!["https:", "data:", "blob:"].includes(protocol) || (protocol === "https:" && hostname !== HOST))
      fault(`asked ${request.url()}`);
  });
  return page;
}

export function assertSilent(page) {
  assert.deepEqual(page.faults, []);
}

/** What every page holds: no sideways scroll, and nothing that axe-core finds. */
export async function assertWell(page, name = page.url()) {
  await settled(page);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(overflow <= 0, `${name} scrolls sideways by ${overflow} px`);
  const session = await page.context().newCDPSession(page);
  // Beside the page's policy, as the browser's own tools are.
  await session.send("Runtime.evaluate", { expression: `${axe};0` });
  await session.detach();
  const found = await page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules }), RULES);
  const said = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`);
  assert.deepEqual(said, [], name);
}

/** What the page asked for is there. */
export async function settled(page) {
  await page.locator("h1").first().waitFor();
  // By the locator: the pages' policy lets nobody evaluate text, the tests included.
  await until(async () => (await page.locator(".skeleton").count()) === 0, `all of ${page.url()}`);
}

/** A picture as WebP. */
export async function picture(page, file) {
  await settled(page);
  const session = await page.context().newCDPSession(page);
  const { cssContentSize } = await session.send("Page.getLayoutMetrics");
  const height = Math.min(Math.ceil(cssContentSize.height), 2400);
  const png = file.endsWith(".png");
  const { data } = await session.send("Page.captureScreenshot", {
    format: png ? "png" : "webp",
    ...(png ? {} : { quality: 80 }),
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width: cssContentSize.width, height, scale: 1 },
  });
  await session.detach();
  await writeFile(file, Buffer.from(data, "base64"));
}

/** Drops a file of the disk on the page, as a file manager does. */
export async function drop(page, path) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"])
    await session.send("Input.dispatchDragEvent", { type, x: 640, y: 500, data });
  await session.detach();
}

/** From the console's link to the first page. */
export async function claim(page, instance) {
  await page.goto(await instance.link());
  await page.getByLabel("Choose a password").or(page.getByLabel("Password")).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/-\/overview/);
  await settled(page);
}

/** Answers the question for a fresh proof, where it comes before `next` is there. */
export async function prove(page, next) {
  const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
  await dialog.or(next).first().waitFor();
  if (!(await dialog.isVisible())) return;
  await dialog.getByLabel("Password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Waits until what the page has put into its storage is on the disk, where a killed browser's successor finds it. */
export async function storageWritten(profile, text) {
  const directory = join(profile, "Default/Local Storage/leveldb");
  const { readdir } = await import("node:fs/promises");
  await until(async () => {
    for (const name of await readdir(directory).catch(() => [])) {
      const octets = await readFile(join(directory, name)).catch(() => Buffer.alloc(0));
      if (octets.includes(text) || octets.includes(Buffer.from(text, "utf16le"))) return true;
    }
    return false;
  }, `${text} on the disk`);
}
