// A passkey by Chromium's virtual authenticator: made within a session, a way in, a proof, and removed.
import { after, before, describe, test } from "node:test";
import * as b from "./kit/browser.mjs";
import { Machine } from "./kit/instance.mjs";

describe("passkeys", () => {
  let machine, browser, instance, page;
  before(async () => {
    machine = await Machine.make();
    instance = await machine.instance();
    await instance.open();
    browser = await b.launch(await b.makeProfile(machine.directory, [instance]));
    page = await b.openPage(browser);
    await b.claim(page, instance);
    // It belongs to this page, as long as no other session of the browser's tools with it ends.
    const session = await page.context().newCDPSession(page);
    await session.send("WebAuthn.enable");
    await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  });
  after(async () => {
    await browser?.close();
    await machine?.close();
  });

  async function signOut() {
    await page.goto(`${instance.panel}/-/settings`);
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.waitForURL(/\/-\/sign-in/);
  }

  test("one is made, signs in, and is removed", async () => {
    await page.goto(`${instance.panel}/-/settings`);
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("laptop").waitFor();
    await signOut();
    await page.getByRole("button", { name: /passkey/i }).click();
    await page.waitForURL(/\/-\/overview/);
    // It is a proof as well: what wants one is done.
    await page.goto(`${instance.panel}/-/settings`);
    const remove = page.getByRole("button", { name: /laptop/ });
    await remove.click();
    await remove.waitFor({ state: "detached" });
    await signOut();
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
    await page.getByRole("button", { name: /passkey/i }).waitFor({ state: "hidden" });
    b.assertSilent(page);
  });
});
