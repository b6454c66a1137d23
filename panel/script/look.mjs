// Walks every page of a panel that runs somewhere, in Debian's Chromium: narrow and wide, light and dark. Says what
// axe-core finds, sideways scroll, and what the console said; with a directory it leaves pictures there.
//   npm run look -- https://box.example.org [DIR] [--cookie NAME=VALUE] [--page restore]...
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const PAGES = [
  "overview",
  "services",
  "catalog",
  "secrets",
  "backups",
  "restore",
  "contexts",
  "tenants",
  "records",
  "peers",
  "activity",
  "settings",
];
const PLAIN = ["claim", "enter", "sign-in", "trust", "plain"];
const WIDTHS = [360, 1280];
const THEMES = ["light", "dark"];

const words = process.argv.slice(2);
const option = (name) => words.flatMap((word, i) => (words[i - 1] === name ? [word] : []));
const [base, directory] = words.filter((word, i) => !word.startsWith("--") && !words[i - 1]?.startsWith("--"));
if (!base) {
  console.error("usage: npm run look -- URL [DIR] [--cookie NAME=VALUE] [--page PAGE]...");
  process.exit(2);
}
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const chosen = option("--page");
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
let faults = 0;

async function look(page, path, width, theme) {
  const name = `${path.replaceAll("/", "_")}-${width}-${theme}`;
  const fault = (text) => {
    faults++;
    console.log(`${name}: ${text}`);
  };
  const onConsole = (message) => ["error", "warning"].includes(message.type()) && fault(message.text());
  const onError = (error) => fault(String(error));
  page.on("console", onConsole);
  page.on("pageerror", onError);
  await page.goto(`${base}/-/${path}`, { waitUntil: "load" });
  await page.locator("h1").waitFor();
  const skeletons = page.locator(".skeleton");
  while ((await skeletons.count()) > 0) await skeletons.first().waitFor({ state: "detached" });
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (overflow > 0) fault(`scrolls sideways by ${overflow} px`);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  for (const violation of found.violations)
    fault(`${violation.id}: ${violation.nodes[0]?.target} (${violation.nodes.length})`);
  if (directory) await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
  page.off("console", onConsole);
  page.off("pageerror", onError);
}

for (const theme of THEMES) {
  for (const width of WIDTHS) {
    const context = await browser.newContext({
      viewport: { width, height: 860 },
      colorScheme: theme,
      ignoreHTTPSErrors: true,
    });
    for (const cookie of option("--cookie")) {
      const [name, ...value] = cookie.split("=");
      await context.addCookies([{ name, value: value.join("="), url: base, secure: true }]);
    }
    await context.addInitScript(axe);
    const page = await context.newPage();
    for (const path of chosen.length > 0 ? chosen : [...PAGES, ...PLAIN]) await look(page, path, width, theme);
    await context.close();
  }
}
await browser.close();
console.log(faults === 0 ? "nothing found" : `${faults} found`);
process.exit(faults === 0 ? 0 : 1);
