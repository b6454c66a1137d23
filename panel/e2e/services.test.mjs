// Services from the catalog, their own pages, and a service that means ill.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as b from "./kit/browser.mjs";
import { Machine } from "./kit/instance.mjs";
import { HOSTILE, NOTES, declarationOf } from "./kit/services.mjs";

describe("services", () => {
  let machine, browser, instance, page;
  before(async () => {
    machine = await Machine.make();
    await writeFile(join(machine.directory, "notes.py"), NOTES);
    await writeFile(join(machine.directory, "hostile.py"), HOSTILE);
    instance = await machine.instance({
      catalog: {
        notes: declarationOf("notes", machine.directory),
        hostile: declarationOf("hostile", machine.directory),
      },
    });
    await instance.open();
    browser = await b.launch(await b.makeProfile(machine.directory, [instance]));
    page = await b.openPage(browser);
    await b.claim(page, instance);
  });
  after(async () => {
    await browser?.close();
    await machine?.close();
  });

  test("one is installed, its secret asked for before anything is done", async () => {
    await page.getByRole("button", { name: "Open the catalog" }).click();
    await page.getByRole("checkbox", { name: /^notes/ }).check();
    await page.getByLabel("notes/greeting").fill("good day to you");
    await page.getByRole("button", { name: "Install" }).click();
    await page.getByRole("heading", { name: "Install notes" }).waitFor();
    await page.getByText("100 %").waitFor();
    await page.getByRole("link", { name: "notes", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "notes" }).waitFor();
    await page.getByText("running", { exact: true }).first().waitFor();
    await b.assertWell(page);
    const address = (await instance.json("router", "status")).routes.find((route) => route.service === "notes").address;
    const own = await page.context().newPage();
    await own.goto(address);
    assert.equal(await own.locator("h1").textContent(), "good day to you");
    await own.close();
    b.assertSilent(page);
  });

  test("a backup is made, kept, looked at, downloaded after a proof, and deleted by its name", async () => {
    await page.goto(`${instance.panel}/-/backups#now`);
    await page.getByRole("radio", { name: "not encrypted" }).check();
    await page.getByRole("button", { name: "Begin" }).click();
    await page.getByRole("link", { name: "Look at it" }).click();
    const heading = page.getByRole("heading", { level: 1, name: /\.spl$/ });
    await heading.waitFor();
    const name = await heading.textContent();
    await b.assertWell(page);
    const downloads = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const download = await downloads;
    const file = join(machine.directory, "downloaded.spl");
    await download.saveAs(file);
    assert.match(await instance.spl("bundle", "show", file), /notes/);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByLabel(/^Type/).fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 1, name: "Backups" }).waitFor();
    await page.getByText("No backups yet").waitFor();
    b.assertSilent(page);
  });

  test("a hostile service sees neither the session nor the panel, and gets no file by X-Accel-Redirect", async () => {
    await page.goto(`${instance.panel}/-/catalog`);
    await page.getByRole("checkbox", { name: /^hostile/ }).check();
    await page.getByRole("button", { name: "Install" }).click();
    await page.getByText("100 %").waitFor();
    const address = (await instance.json("router", "status")).routes.find((one) => one.service === "hostile").address;
    const own = await page.context().newPage();
    await own.goto(`${address}?panel=${encodeURIComponent(instance.panel)}`);
    await own.locator("body[data-done=yes]").waitFor();
    const found = JSON.parse(await own.locator("#found").textContent());
    assert.deepEqual(found, {
      cookie: "planted=1",
      told: "planted=1",
      read: "refused",
      written: "refused",
      framed: "refused",
      accel: "no file",
    });
    // The frame that it made of the panel's own address for programs runs no script.
    const below = await page.evaluate(async () => {
      const answer = await fetch("/hostile/");
      return [answer.status, answer.headers.get("content-security-policy")];
    });
    assert.deepEqual(below, [200, "sandbox"]);
    await own.close();
    // The session is what it was.
    await page.goto(`${instance.panel}/-/services`);
    await page.getByRole("link", { name: "hostile", exact: true }).waitFor();
    assert.equal((await instance.json("service", "hostile", "status")).services[0].state, "running");
    b.assertSilent(page);
  });
});
