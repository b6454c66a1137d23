// A real instance for a browser: the program with a home of its own, Debian's nginx before it, free ports. What it
// started ends with close().
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const SOURCES = fileURLToPath(new URL("../../../", import.meta.url));
export const PROGRAM = process.env.SPL_PROGRAM || join(SOURCES, "build/release/spl");
export const HOST = "box.test";
export const PASSWORD = "correct horse battery";

const SERVICE_PORTS = 12;
const PORTS_FIRST = 12_000;
const PORTS_LAST = 30_000; // above are those that the kernel gives to whoever asks for any
const COMMAND_MS_MAX = 180_000;

export class Failed extends Error {
  constructor(command, code, out, err) {
    super(`${command.join(" ")} ended with ${code}: ${err || out}`);
    Object.assign(this, { code, out, err });
  }
}

/** Runs a program to its end. */
export function run(command, { env = {}, input = "" } = {}) {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 64 << 20, timeout: COMMAND_MS_MAX };
    const child = execFile(command[0], command.slice(1), options, (error, out, err) =>
      error ? reject(new Failed(command, error.code ?? error.signal, out, err)) : resolve(out),
    );
    child.stdin.end(input);
  });
}

export async function until(isSo, what, msMax = 60_000) {
  const end = Date.now() + msMax;
  for (;;) {
    const found = await isSo();
    if (found) return found;
    if (Date.now() > end) throw new Error(`it never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}

let nextPort = PORTS_FIRST + (process.pid % 1000) * 16;

/** `count` neighbours that nobody listens at. */
async function freePorts(count) {
  for (let tries = 0; tries < 1000; tries++) {
    if (nextPort + count > PORTS_LAST) nextPort = PORTS_FIRST;
    const ports = Array.from({ length: count }, (_, i) => nextPort + i);
    nextPort += count;
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return ports;
  }
  throw new Error("there are no free ports");
}

/** A directory that every user passes through, as the router and the services do; with the key of the secrets in it. */
export async function makeDirectory() {
  const directory = await mkdtemp(join(tmpdir(), "spl-panel-"));
  await chmod(directory, 0o711);
  return directory;
}

export class Instance {
  /** `services` and `catalog`: declarations by name. `config` is what config.toml has besides, before [router]. */
  static async make({ directory, name = "a", services = {}, catalog = {}, config = "" }) {
    const instance = new Instance(directory, name);
    await instance.spl("init");
    const [https, http, ...own] = await freePorts(SERVICE_PORTS + 2);
    instance.panel = `https://${HOST}:${https}`;
    const catalogs = join(directory, `${name}.catalog`);
    await mkdir(catalogs);
    for (const [service, text] of Object.entries(catalog)) await writeFile(join(catalogs, `${service}.toml`), text);
    for (const [service, text] of Object.entries(services)) await instance.declare(service, text);
    await writeFile(
      join(instance.home, "config.toml"),
      `${config}\ncatalogs = ["${catalogs}"]\n[router]\nnames = ["${HOST}", "127.0.0.1"]\nhttps = ${https}\n` +
        `http = ${http}\nports = "${own[0]}-${own.at(-1)}"\n`,
    );
    return instance;
  }

  constructor(directory, name) {
    this.directory = directory;
    this.home = join(directory, name);
    this.env = { SPL_SECRET_KEY_FILE: join(directory, `${name}.key`), NO_COLOR: "1" };
  }

  spl(...words) {
    return run([PROGRAM, "--home", this.home, ...words], { env: this.env });
  }
  async json(...words) {
    return JSON.parse(await this.spl(...words, "-o", "json"));
  }
  declare(service, text) {
    return writeFile(join(this.home, "services", `${service}.toml`), text);
  }

  async serve() {
    await this.spl("serve", "--daemon", "--port", "0");
  }
  /** The daemon, and the router before it. */
  async open() {
    await this.serve();
    await this.spl("router", "start");
  }
  /** The daemon dies as it would by a power cut. */
  async kill() {
    const pid = Number(await readFile(join(this.home, "run/spl.pid"), "utf8"));
    process.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid), "the end of the daemon");
  }
  async link() {
    return (await this.json("owner", "link")).url;
  }
  async code() {
    return (await this.link()).split("#")[1];
  }

  async close() {
    for (const words of [["service", "all", "stop"], ["router", "stop"], ["stop"]])
      await this.spl(...words).catch(() => {});
  }
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A directory with instances in it, all ended and gone when the test file has ended. */
export class Machine {
  instances = [];
  static async make() {
    const machine = new Machine();
    machine.directory = await makeDirectory();
    return machine;
  }
  async instance(options = {}) {
    const name = options.name ?? String.fromCharCode("a".charCodeAt(0) + this.instances.length);
    const instance = await Instance.make({ directory: this.directory, ...options, name });
    this.instances.push(instance);
    return instance;
  }
  async close() {
    for (const instance of this.instances) await instance.close();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
