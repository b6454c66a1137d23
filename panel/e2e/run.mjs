// Runs the tests of the panel in a browser, one file after the other; the last line counts them.
//   node e2e/run.mjs [NAME]...      those files alone: door, owner, passkeys, services, restore, hero
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "node:test";

const SUFFIX = ".test.mjs";
const names = process.argv.slice(2);
const files = readdirSync(new URL(".", import.meta.url))
  .filter((name) => name.endsWith(SUFFIX) && (names.length === 0 || names.includes(name.slice(0, -SUFFIX.length))))
  .map((name) => fileURLToPath(new URL(name, import.meta.url)));

let passed = 0;
let failed = 0;
const seconds = (details) => ` (${(details.duration_ms / 1000).toFixed(1)} s)`;
const causeOf = (error) => error?.cause?.stack ?? error?.cause ?? error?.message ?? error;

for await (const { type, data } of run({ files, concurrency: 1 })) {
  // A file and a group hold tests, and are none.
  const isTest = data?.nesting > 0 && data?.details?.type !== "suite";
  if (type === "test:pass" && isTest) {
    passed++;
    console.log(`ok      ${data.name}${seconds(data.details)}`);
  } else if (type === "test:fail") {
    const { error } = data.details;
    if (error?.failureType === "subtestsFailed") continue;
    failed++;
    console.log(`FAILED  ${data.name}${seconds(data.details)}\n${causeOf(error)}`);
  } else if (
    type === "test:diagnostic" &&
    data.nesting > 0 &&
    !/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(data.message)
  ) {
    console.log(`        ${data.message}`);
  } else if (type === "test:stderr") {
    process.stderr.write(data.message);
  }
}
console.log(`${passed} tests of the panel in Chromium passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
