// The acceptance: from an unclaimed machine to the ten services of examples/hero/, restored by dropping their bundle on
// the page. Then every page is looked at as it is with that much in it.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as b from "./kit/browser.mjs";
import { SECRET, heroCatalog, makeHeroBundle, prove } from "./kit/hero.mjs";
import { Machine } from "./kit/instance.mjs";

const MINUTES = 60_000;
const WHOLE_WAY_MS_MAX = 5 * MINUTES;
const PAGES = [
  "overview",
  "services",
  "services/hero_osis",
  "catalog",
  "secrets",
  "backups",
  "restore",
  "contexts",
  "tenants",
  "records",
  "records/move",
  "peers",
  "activity",
  "settings",
  "plain",
  "trust",
];
const WIDTHS = [1280, 360];
const THEMES = ["light", "dark"];
// Where the pictures of docs/panel/ are made anew: SPL_PICTURES=docs/panel script/panel --browser
const PICTURES = process.env.SPL_PICTURES;
const KIND = process.env.SPL_PICTURES_KIND ?? "webp";

describe("the ten services", () => {
  let machine, browser, instance, page, proof;
  before(
    async () => {
      machine = await Machine.make();
      const catalog = await heroCatalog(machine.directory);
      const file = (name) => join(machine.directory, name);
      proof = await makeHeroBundle(machine, catalog, file("hero.spl"), file("hero-key.txt"));
      instance = await machine.instance({ name: "bare", catalog });
      await instance.open();
      browser = await b.launch(await b.makeProfile(machine.directory, [instance]));
      page = await b.openPage(browser);
      if (PICTURES) await mkdir(PICTURES, { recursive: true });
    },
    { timeout: 10 * MINUTES },
  );
  after(async () => {
    await browser?.close();
    await machine?.close();
  });
  const shot = (name, of = page) => (PICTURES ? b.picture(of, join(PICTURES, `${name}.${KIND}`)) : undefined);

  test("from the claim to the restored instance in less than five minutes", { timeout: 10 * MINUTES }, async (t) => {
    const begun = Date.now();
    await page.goto(instance.panel);
    await shot("way-1-claim");
    await b.claim(page, instance);
    await shot("way-2-first");
    await page.getByRole("link", { name: "Choose a backup" }).click();
    await page.getByText("Drop a backup here").waitFor();
    await shot("way-3-drop");
    await b.drop(page, join(machine.directory, "hero.spl"));
    const [chooser] = await Promise.all([
      page.waitForEvent("filechooser"),
      page.getByRole("button", { name: "Choose the key's file" }).click(),
    ]);
    await chooser.setFiles(join(machine.directory, "hero-key.txt"));
    await page.getByText("nothing has been changed").waitFor();
    await shot("way-4-opened");
    await page.getByRole("button", { name: "Upload and check" }).click();
    // Nothing is installed yet: that stands in the way, and the page says where to go.
    await page.getByText(/stand in the way/).waitFor();
    await shot("way-5-check");
    await page.getByRole("link", { name: /^Install/ }).click();
    await page.getByLabel("hero_proc/admin_secret").fill(SECRET);
    await shot("way-6-install");
    await page.getByRole("button", { name: "Install", exact: true }).click();
    await page.getByText("100 %").waitFor({ timeout: 3 * MINUTES });
    await shot("way-7-installed");
    await page.getByRole("link", { name: "Go on with the restore" }).click();
    await page.getByRole("button", { name: "Check again" }).click();
    await page.getByText("Nothing stands in the way.").waitFor();
    await shot("way-8-checked");
    await page.getByRole("button", { name: "Restore now" }).click();
    await b.prove(page, page.getByText(/^Restored in/));
    await page.getByText(/^Restored in/).waitFor({ timeout: 4 * MINUTES });
    await shot("way-9-restored");
    b.assertSilent(page);

    // The services' own pages, through the router.
    const routes = new Map((await instance.json("router", "status")).routes.map((one) => [one.service, one.address]));
    const own = await page.context().newPage();
    for (const [service, path, text] of [
      ["hero_osis", "geomind/projects", '"objects"'],
      ["hero_books", "geomind", '"'],
      ["hero_collab", "geomind", '"'],
      ["hero_indexer", "geomind?find=free", '"'],
    ]) {
      const answer = await own.goto(routes.get(service) + path);
      assert.equal(answer.status(), 200, service);
      assert.ok((await answer.text()).includes(text), service);
    }
    await own.close();
    const took = Date.now() - begun;
    t.diagnostic(`from the claim to the pages of the services: ${(took / 1000).toFixed(0)} s`);
    assert.ok(took < WHOLE_WAY_MS_MAX, `it took ${took} ms`);
    assert.equal(await prove(instance), proof);
  });

  test("every page, light and dark, narrow and wide", { timeout: 10 * MINUTES }, async () => {
    await backUp(page, instance);
    const storageState = await page.context().storageState();
    const [backup] = await instance.json("backup", "list");
    const faults = [];
    const look = async (looked, path, name) => {
      await looked.goto(`${instance.panel}/-/${path}`);
      await b.assertWell(looked, name).catch((fault) => faults.push(fault.message));
      await shot(name, looked);
    };
    for (const theme of THEMES) {
      for (const width of WIDTHS) {
        const looked = await b.openPage(browser, { width, theme, storageState });
        for (const path of [...PAGES, `backups/${backup.id}`])
          await look(looked, path, `${path.replace(/\/.*|\?.*/, "-one")}-${width}-${theme}`);
        await looked.context().clearCookies();
        for (const path of ["sign-in", "enter"]) await look(looked, path, `${path}-${width}-${theme}`);
        faults.push(...looked.faults);
        await looked.context().close();
      }
    }
    assert.deepEqual(faults, []);
  });
});

async function backUp(page, instance) {
  await page.goto(`${instance.panel}/-/backups#now`);
  await page.getByRole("radio", { name: "not encrypted" }).check();
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("link", { name: "Look at it" }).waitFor();
}
