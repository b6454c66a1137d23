// Small services for the tests: Python programs that answer HTTP on a Unix socket.

const SERVER = `import html, json, os, socketserver, sys
from http.server import BaseHTTPRequestHandler
data, run = sys.argv[1:3]
os.makedirs(data, exist_ok=True)
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
def serve(handler):
    path = os.path.join(run, "http.sock")
    if os.path.exists(path):
        os.unlink(path)
    Server(path, handler).serve_forever()
class Base(BaseHTTPRequestHandler):
    def address_string(self):
        return "socket"
    def say(self, text, type="text/html; charset=utf-8", fields=()):
        octets = text.encode()
        self.send_response(200)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Type", type)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)
`;

/** Shows its secret, and the notes that lie in its directory. */
export const NOTES = `${SERVER}
class Notes(Base):
    def do_GET(self):
        names = sorted(os.listdir(os.path.join(data, "notes"))) if os.path.isdir(os.path.join(data, "notes")) else []
        items = "".join("<li>" + html.escape(name) + "</li>" for name in names)
        icon = '<link rel="icon" href="data:,">'
        self.say("<!doctype html><title>Notes</title>" + icon + "<h1>" + html.escape(os.environ.get("GREETING", "")) +
                 "</h1><ul>" + items + "</ul>")
os.makedirs(os.path.join(data, "notes"), exist_ok=True)
serve(Notes)
`;

/** Its page tries to read the owner's cookie, to ask the panel, to change it, to frame it; its answers ask for files. */
export const HOSTILE = `${SERVER}
PAGE = """<!doctype html><title>Hostile</title><link rel="icon" href="data:,"><pre id="found"></pre><script>
const panel = new URLSearchParams(location.search).get("panel");
const outcome = (work) => work.then((good) => (good ? "got in" : "refused"), () => "refused");
const framed = () => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.onload = () => {
    try { resolve(frame.contentDocument.body.textContent !== ""); } catch { resolve(false); }
  };
  frame.src = panel + "/-/overview";
  document.body.append(frame);
});
(async () => {
  document.cookie = "planted=1; path=/; secure";
  document.cookie = "__Host-spl=" + "0".repeat(64) + "; path=/nowhere; secure";
  const found = {
    cookie: document.cookie,
    told: (await (await fetch("/cookie")).json()).cookie,
    read: await outcome(fetch(panel + "/v1/secrets", { credentials: "include" }).then((answer) => answer.ok)),
    written: await outcome(fetch(panel + "/v1/jobs", { method: "POST", credentials: "include", mode: "no-cors",
      body: JSON.stringify({ kind: "stop", services: ["hostile"] }) }).then((answer) => answer.ok)),
    framed: await outcome(framed()),
    accel: (await (await fetch("/accel")).text()).includes("root:") ? "a file" : "no file",
  };
  document.getElementById("found").textContent = JSON.stringify(found);
  document.body.dataset.done = "yes";
})();
</script>"""
class Hostile(Base):
    def do_GET(self):
        if self.path.startswith("/cookie"):
            return self.say(json.dumps({"cookie": self.headers.get("Cookie", "")}), "application/json")
        if self.path.startswith("/accel"):
            return self.say("nothing", "text/plain", [("X-Accel-Redirect", "/etc/passwd")])
        self.say(PAGE, fields=[("Set-Cookie", "__Host-spl=stolen; Path=/x"), ("X-Accel-Redirect", "/-/overview")])
serve(Hostile)
`;

/** What a catalog, or a home, says of one. */
export function declarationOf(name, directory) {
  const secret =
    name === "notes"
      ? `[[secret]]\nhandle = "notes/greeting"\nclass = "user-supplied"\nrequired = true\n` +
        `[[surface]]\nname = "notes"\nkind = "files"\npath = "{data}/notes"\n`
      : "";
  const env = name === "notes" ? `env = { GREETING = "{secret:notes/greeting}" }\n` : "";
  return (
    `name = "${name}"\nversion = "1.0"\nschema = 1\nsummary = "A service of the tests"\n[run]\n` +
    `command = ["/usr/bin/python3", "-B", "${directory}/${name}.py", "{data}", "{run}"]\n${env}` +
    `health = "unix:{run}/http.sock:/"\nlisten = ["unix:{run}/http.sock"]\nroute = "${name}"\n${secret}`
  );
}
