// The ten services of examples/hero/: an instance of them, filled, and the bundle that it leaves behind.
import { cp, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { PROGRAM, SOURCES, run, until } from "./instance.mjs";

export const CONTEXTS = ["default", "geomind", "threefold", "incubaid"];
export const SECRET = "change-me-please";
const EXAMPLE = join(SOURCES, "examples/hero");

/** The catalog's entries, with the programs of the sources and, as root, one user that every machine has. */
export async function heroCatalog(directory) {
  const programs = join(directory, "programs");
  await cp(join(EXAMPLE, "programs"), programs, { recursive: true, force: true });
  const catalog = {};
  for (const name of await readdir(join(SOURCES, "catalog"))) {
    if (!name.startsWith("hero_")) continue;
    const text = await readFile(join(SOURCES, "catalog", name), "utf8");
    catalog[name.replace(".toml", "")] = text
      .replaceAll("/usr/share/spl/hero/programs/", `${programs}/`)
      .replace(/(user +=) "[a-z_]+"/, '$1 "www-data"')
      .replace(/group += .*/, "");
  }
  return catalog;
}

/** Fills an instance of the ten services, backs it up into `file` for the key of `keyFile`, and ends it. */
export async function makeHeroBundle(machine, catalog, file, keyFile) {
  const source = await machine.instance({ name: "source", services: catalog });
  for (const context of CONTEXTS) await source.spl("context", "add", context);
  await source.spl("secret", "set", "--from", join(EXAMPLE, "secrets.toml"));
  await source.spl("service", "all", "start");
  await run([join(EXAMPLE, "fill"), source.home, "--size", "12M", "--spl", PROGRAM]);
  await source.spl("intend", "Move the four tenants to the new machine", "--thread", "move");
  await source.spl("know", "The old machine is backed up each night", "--thread", "move");
  await source.spl("do", "Order the new machine", "--thread", "purchase");
  await run(["age-keygen", "-o", keyFile]);
  const recipient = /age1\w+/.exec(await readFile(keyFile, "utf8"))[0];
  await source.spl("service", "all", "backup", "--to", file, "--recipient", recipient);
  const proof = await prove(source);
  await source.spl("service", "all", "stop");
  return proof;
}

/** What the services' own clients say of everything that is there, once what is made anew has been. */
export async function prove(instance) {
  await until(async () => !("rebuilds" in (await instance.json("status"))), "what is rebuilt", 300_000);
  return run([join(EXAMPLE, "prove"), instance.home]);
}
