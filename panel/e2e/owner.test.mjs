// What the owner sets up: a backup key that is made in the browser, a schedule that uses it; and what is told of it
// afterwards.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as b from "./kit/browser.mjs";
import { Machine } from "./kit/instance.mjs";

describe("the owner", () => {
  let machine, browser, instance, page;
  const file = (name) => join(machine.directory, name);
  before(async () => {
    machine = await Machine.make();
    instance = await machine.instance();
    await instance.open();
    browser = await b.launch(await b.makeProfile(machine.directory, [instance]));
    page = await b.openPage(browser);
    await b.claim(page, instance);
  });
  after(async () => {
    await browser?.close();
    await machine?.close();
  });

  async function chooseFile(button, path) {
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button.click()]);
    await chooser.setFiles(path);
  }

  test("a backup key is made in the browser, kept, and shown once", async () => {
    await page.goto(`${instance.panel}/-/backups`);
    await page.getByLabel("Name of the new key").fill("safe");
    const downloads = page.waitForEvent("download");
    await page.getByRole("button", { name: "Make a key and save its file" }).click();
    await b.prove(page, page.getByText("not confirmed"));
    await (await downloads).saveAs(file("key.txt"));
    await page.getByText("not confirmed").waitFor();
    await b.assertWell(page);
    await chooseFile(page.getByRole("button", { name: "Choose the key's file" }), file("key.txt"));
    await page.getByText("you have it").waitFor();
    b.assertSilent(page);
  });

  test("a schedule with that key is run, and its backup opens with the key's file", async () => {
    await page.getByRole("button", { name: "Add a schedule" }).click();
    assert.equal(await page.locator("form ol.figures > li").count(), 5, "five runs ahead");
    await b.assertWell(page);
    await page.getByRole("button", { name: "Save the schedule" }).click();
    await page.getByRole("button", { name: "Run now: nightly" }).click();
    await page.getByRole("link", { name: "Look at it" }).click();
    await page.getByRole("heading", { level: 1, name: /\.spl$/ }).waitFor();
    await page.getByText("backup keys", { exact: true }).waitFor();
    await chooseFile(page.getByRole("button", { name: "Choose the key's file" }), file("key.txt"));
    await page.getByRole("link", { name: "manifest.json" }).waitFor();
    await b.assertWell(page);
    b.assertSilent(page);
  });

  test("what was done is told", async () => {
    await page.goto(`${instance.panel}/-/activity`);
    await page.getByRole("heading", { name: "All activity" }).waitFor();
    const told = await page.locator("main").innerText();
    for (const action of [/door\.claim/, /recipient\.confirm/, /schedule\.set nightly/, /backup nightly/])
      assert.match(told, action);
    await b.assertWell(page);
    b.assertSilent(page);
  });
});
