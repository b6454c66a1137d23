#include "install_kit.h"

#include <algorithm>
#include <filesystem>

namespace spl::cli_test {
namespace {

constexpr char kServer[] = R"py(
import http.server, os, ssl, sys, threading
directory = sys.argv[1]
log = open(directory + "/requests", "a", buffering=1)
ports = {}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *words):
        pass
    def do_GET(self):
        log.write(self.path + "\n")
        self.close_connection = True
        words = self.path.strip("/").split("/")
        if words[0] in ("files", "cut"):
            try:
                data = open(directory + "/www/" + words[1], "rb").read()
            except OSError:
                return self.answer(404, [])
            self.answer(200, [("Content-Length", len(data))])
            return self.wfile.write(data if words[0] == "files" else data[:len(data) // 2])
        if words[0] in ("moved", "to-http"):
            scheme = "https" if words[0] == "moved" else "http"
            place = "%s://localhost:%d/files/%s" % (scheme, ports[scheme], words[1])
            return self.answer(302, [("Location", place), ("Content-Length", 0)])
        if words[0] == "endless":
            self.answer(200, [])
            try:
                while True:
                    self.wfile.write(b"\0" * 65536)
            except OSError:
                return
        self.answer(404, [])
    def answer(self, code, fields):
        self.send_response(code)
        for name, value in fields:
            self.send_header(name, str(value))
        self.end_headers()

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    def handle_error(self, *words):
        pass

plain = Server(("127.0.0.1", 0), Handler)
secure = Server(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(directory + "/server.pem", directory + "/server.key")
secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
ports["http"], ports["https"] = plain.server_address[1], secure.server_address[1]
for server in (plain, secure):
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(ports["https"], flush=True)
sys.stdin.read()
)py";

constexpr char kTar[] = R"py(
import io, sys, tarfile
tar = tarfile.open(sys.argv[1], "w")
def add(name, text="", **more):
    info = tarfile.TarInfo(name)
    info.size = len(text)
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(text.encode()))
)py";

}  // namespace

void InstallKit::serve() {
  std::filesystem::create_directories(path("www"));
  const std::string made = path("made");
  ASSERT_EQ(
      shell("cd " + path(".") +
            " && { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-authority -keyout ca.key -out "
            "ca.pem && openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr "
            "&& echo subjectAltName=DNS:localhost >names && openssl x509 -req -in server.csr -CA ca.pem -CAkey "
            "ca.key -CAcreateserial -days 2 -extfile names -out server.pem; } >" +
            made + " 2>&1"),
      0)
      << read_file(made);
  const std::string program = write_script("server.py", kServer);
  auto started =
      env::ChildProcess::start({.arguments = {"python3", program, path(".")}, .environment = {"PATH=/usr/bin:/bin"}});
  ASSERT_TRUE(started) << started.error().message;
  process_ = std::move(*started);
  process_->limit_waits(std::chrono::minutes(5), nullptr);
  std::string port;
  while (!port.ends_with('\n')) {
    char octet = 0;
    const auto read = process_->output().read({&octet, 1});
    ASSERT_TRUE(read && *read == 1) << process_->said();
    port += octet;
  }
  port.pop_back();
  server_ = "https://localhost:" + port;
  environment_["SSL_CERT_FILE"] = path("ca.pem");
}

int InstallKit::requests() {
  if (!exists(path("requests"))) return 0;
  const std::string log = read_file(path("requests"));
  return static_cast<int>(std::ranges::count(log, '\n'));
}

std::string InstallKit::digest_of(const std::string& name) {
  return output_of("sha256sum <" + path("www/" + name) + " | cut -c1-64");
}

std::string InstallKit::make_archive(const std::string& name) {
  std::filesystem::create_directories(path("tree/bin"));
  std::filesystem::create_directories(path("tree/lib"));
  write_script("tree/bin/notes", "#!/bin/sh\n. \"${0%/*}/../lib/link\"\nexec sleep \"$time\"\n");
  write_file(path("tree/lib/settings"), "time=1000\n");
  EXPECT_EQ(shell("cd " + path("tree") + " && ln -sf settings lib/link && ln -f lib/settings lib/same && tar -caf " +
                  path("www/" + name) + " ."),
            0);
  return digest_of(name);
}

std::string InstallKit::make_tar(const std::string& name, const std::string& python) {
  const std::string program = write_script("tar.py", std::string(kTar) + python + "\ntar.close()\n");
  EXPECT_EQ(shell("python3 " + program + " " + path("www/" + name)), 0);
  return digest_of(name);
}

void InstallKit::declare_archive(const std::string& home, const std::string& where, const std::string& sha256,
                                 const std::string& more) {
  declare(home, "notes",
          "version = \"1.4.0\"\n[install]\nsource = \"" + url(where) + "\"\nsha256 = \"" + sha256 +
              "\"\n[run]\ncommand = [\"{home}/software/notes/1.4.0/bin/notes\"]\n" + more);
}

Ran InstallKit::install(const std::string& home, const Words& more) {
  Words words{"service", "notes", "install", "--download"};
  words.insert(words.end(), more.begin(), more.end());
  return ask(home, words);
}

}  // namespace spl::cli_test
