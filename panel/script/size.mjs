// Fails where the panel is heavier than it may be: what the first page needs, and all of it, gzipped.
import { readFileSync, readdirSync, existsSync } from "node:fs";
import { gzipSync } from "node:zlib";

const FIRST_MAX = 60 * 1024;
const ALL_MAX = 160 * 1024;
const PLAIN_MAX = 6 * 1024;

const dist = new URL("../dist/", import.meta.url);
if (!existsSync(new URL(".vite/manifest.json", dist))) {
  console.error("There is no dist/: run `npm run build` first.");
  process.exit(2);
}
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const gzipped = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;

const first = new Set(["index.html"]);
const seen = new Set();
function addEntry(key) {
  if (seen.has(key)) return;
  seen.add(key);
  const chunk = manifest[key];
  first.add(chunk.file);
  for (const file of chunk.css ?? []) first.add(file);
  for (const imported of chunk.imports ?? []) addEntry(imported);
}
addEntry("index.html");
addEntry("src/pages/overview.tsx");

const assets = readdirSync(new URL("assets/", dist)).map((name) => `assets/${name}`);
const sum = (files) => [...files].reduce((total, file) => total + gzipped(file), 0);
const plain = assets.filter((file) => /\/plain-.*\.css$/.test(file));
const plainBytes = plain.reduce((total, file) => total + readFileSync(new URL(file, dist)).length, 0);

const rows = [
  ["first page, gzipped", sum(first), FIRST_MAX],
  ["all, gzipped", sum(["index.html", ...assets]), ALL_MAX],
  ["plain.css, as it is", plainBytes, PLAIN_MAX],
];
let isOver = plain.length !== 1;
for (const [what, bytes, max] of rows) {
  console.log(`${what}: ${(bytes / 1024).toFixed(1)} KiB of ${max / 1024}`);
  isOver ||= bytes > max;
}
process.exit(isOver ? 1 : 0);
