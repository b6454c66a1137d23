// Who comes in: the claim, by keyboard alone; signing in and out; and the pages that need no script.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as b from "./kit/browser.mjs";
import { Machine, PASSWORD } from "./kit/instance.mjs";

// What Chromium says by itself of an answer that is no success.
const REFUSED = /^Failed to load resource: the server responded with a status of 40[13]/;

describe("the owner's door", () => {
  let machine, browser, claimed, scriptless;
  before(async () => {
    machine = await Machine.make();
    claimed = await machine.instance();
    scriptless = await machine.instance();
    await claimed.open();
    await scriptless.open();
    browser = await b.launch(await b.makeProfile(machine.directory, [claimed, scriptless]));
  });
  after(async () => {
    await browser?.close();
    await machine?.close();
  });

  test("an unclaimed instance has one page", async () => {
    const page = await b.openPage(browser);
    for (const path of ["/", "/-/overview", "/-/restore", "/-/plain", "/-/sign-in"]) {
      await page.goto(claimed.panel + path);
      assert.equal(new URL(page.url()).pathname, "/-/claim", path);
    }
    await b.assertWell(page);
    b.assertSilent(page);
    await page.context().close();
  });

  test("it is claimed by the console's link and the keyboard alone", async () => {
    const page = await b.openPage(browser);
    await page.goto(await claimed.link());
    assert.ok(!page.url().includes("#"), "the code leaves the address");
    // The code stands in its field, and the next thing to type is the password.
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/-\/overview/);
    await page.getByRole("heading", { name: "This instance is yours" }).waitFor();
    await b.assertWell(page);
    await reach(page, "Open the catalog");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Catalog" }).waitFor();
    await reach(page, "Settings");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    const focused = await page.evaluate(() => document.activeElement?.tagName);
    assert.equal(focused, "H1", "a new page's heading has the focus");
    await reach(page, "Sign out");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/-\/sign-in/);
    b.assertSilent(page);
    await page.context().close();
  });

  test("a wrong password is said, a right one comes in", async () => {
    const page = await b.openPage(browser, { allowed: [REFUSED] });
    await page.goto(`${claimed.panel}/-/services`);
    await page.waitForURL(/\/-\/sign-in/);
    await page.getByLabel("Password").fill("not the password");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    await b.assertWell(page);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/-\/overview/);
    await b.settled(page);
    b.assertSilent(page);
    await page.context().close();
  });

  test("a wrong code opens nothing, and a link that was used does not open twice", async () => {
    const page = await b.openPage(browser, { allowed: [REFUSED] });
    const link = await claimed.link();
    await page.goto(link.replace(/#.*/, "#aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-a"));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/\/-\/overview/);
    await page.context().clearCookies();
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    b.assertSilent(page);
    await page.context().close();
  });

  test("without JavaScript: claim by the typed code, sign in, download", async () => {
    const page = await b.openPage(browser, { javaScriptEnabled: false, allowed: [REFUSED] });
    await page.goto(scriptless.panel);
    assert.equal(new URL(page.url()).pathname, "/-/claim");
    await page.getByLabel("Code").fill("aaaaa-aaaaa");
    await page.getByLabel("Choose a password").fill(PASSWORD);
    await page.getByRole("button", { name: "Claim" }).click();
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    await page.getByLabel("Code").fill(await scriptless.code());
    await page.getByLabel("Choose a password").fill(PASSWORD);
    await page.getByRole("button", { name: "Claim" }).click();
    await page.waitForURL(/\/-\/overview/);
    await page.getByRole("link", { name: "The plain page" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/\/-\/sign-in/);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/\/-\/overview/);

    await makeBackup(browser, scriptless);
    await page.goto(`${scriptless.panel}/-/plain`);
    // Nobody could open it: the page says so.
    await page.getByRole("button", { name: "Back up now" }).click();
    await page.waitForURL(/\/-\/plain/);
    const refused = page.getByRole("alert").filter({ hasText: "nobody is named who could open it" });
    for (let looks = 0; looks < 100 && !(await refused.isVisible()); looks++) await page.reload();
    await refused.waitFor();
    const made = page.getByRole("link", { name: /^\d{4}-/ });
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.waitForURL(/\/-\/plain/);
    const [download] = await Promise.all([page.waitForEvent("download"), made.click()]);
    const file = join(machine.directory, "plain.spl");
    await download.saveAs(file);
    assert.match(await scriptless.spl("bundle", "verify", file), /\S/);
    b.assertSilent(page);
    await page.context().close();
  });
});

/** Tab by Tab to what bears that name. */
async function reach(page, name) {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement?.textContent?.trim())) === name) return;
  }
  assert.fail(`no Tab reaches ${name}`);
}

/** By a browser with scripts, signed in by the console's link. */
async function makeBackup(browser, instance) {
  const page = await b.openPage(browser);
  await page.goto(await instance.link());
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/-\/overview/);
  await page.goto(`${instance.panel}/-/backups#now`);
  await page.getByRole("radio", { name: "not encrypted" }).check();
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("link", { name: "Look at it" }).waitFor();
  await page.context().close();
}
