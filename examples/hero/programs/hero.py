"""What the small services of the example share: HTTP over a Unix socket, and names that may be trusted.

A service calls serve(RUN, NAME, answer). Each request becomes answer(Request), which gives a value: bytes as they are,
anything else as JSON; or raises Refused.
"""
import http.server
import json
import os
import re
import signal
import socket
import socketserver
import sqlite3
import sys
import threading
import traceback
import urllib.parse

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
BODY_BYTES_MAX = 256 << 20


class Refused(Exception):
    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


class Request:
    def __init__(self, method, target, body, headers):
        url = urllib.parse.urlsplit(target)
        self.method = method
        self.parts = [urllib.parse.unquote(part) for part in url.path.split("/") if part]
        self.query = {name: values[-1] for name, values in urllib.parse.parse_qs(url.query).items()}
        self.body = body
        self.headers = headers

    def json_lines(self):
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]


def checked_name(name):
    if not NAME.match(name):
        raise Refused(400, f"no name: {name!r}")
    return name


def context_directory(data, name, make=False):
    """The directory of a context. An unknown one is an error: nothing ever falls back to another."""
    directory = os.path.join(data, checked_name(name))
    if make:
        os.makedirs(directory, exist_ok=True)
    elif not os.path.isdir(directory):
        raise Refused(404, f"no context {name}")
    return directory


def contexts_of(data):
    if not os.path.isdir(data):
        return []
    return sorted(n for n in os.listdir(data) if NAME.match(n) and os.path.isdir(os.path.join(data, n)))


def write_durably(path, content):
    """The file is there whole, or not at all, whenever the machine stops."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = f"{path}.new{threading.get_ident()}"
    with open(beside, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(beside, path)
    directory = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


class Databases:
    """Connections to SQLite files in WAL mode, one a file, each used by one request at a time."""

    def __init__(self, schema):
        self._schema = schema
        self._open = {}
        self._lock = threading.Lock()

    def of(self, path):
        with self._lock:
            if path not in self._open:
                connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(self._schema)
                self._open[path] = (connection, threading.Lock())
            return self._open[path]

    def close(self):
        with self._lock:
            for connection, _ in self._open.values():
                connection.close()
            self._open.clear()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _body(self):
        length = int(self.headers.get("Content-Length", "0"))
        if "chunked" in self.headers.get("Transfer-Encoding", "") or not 0 <= length <= BODY_BYTES_MAX:
            raise Refused(413, "a body wants a Content-Length of at most 256 MiB")
        return self.rfile.read(length)

    def _reply(self, status, content, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _answer(self):
        try:
            request = Request(self.command, self.path, self._body(), self.headers)
            if request.parts == ["health"]:
                value = {"service": self.server.name, "state": "well"}
            else:
                value = self.server.answer(request)
            status = 200
        except Refused as refused:
            status, value = refused.status, {"error": str(refused)}
            self.close_connection = status == 413
        except (ValueError, KeyError, TypeError) as fault:
            status, value = 400, {"error": f"{type(fault).__name__}: {fault}"}
        except Exception as fault:
            traceback.print_exc()
            status, value = 500, {"error": str(fault)}
        if isinstance(value, bytes):
            self._reply(status, value, "application/octet-stream")
        else:
            self._reply(status, json.dumps(value, sort_keys=True).encode() + b"\n", "application/json")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer

    def address_string(self):
        return "client"

    def log_request(self, code="-", size="-"):
        if isinstance(code, int) and code >= 400:
            super().log_request(code, size)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # who asks may go before the answer
            super().handle_error(request, client_address)


def serve(run, name, answer, at_end=lambda: None):
    """Answers on RUN/http.sock until SIGTERM."""
    path = os.path.join(run, "http.sock")
    if os.path.exists(path):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
            except OSError:
                os.unlink(path)  # one that a crash has left
            else:
                raise SystemExit(f"{name} answers at {path} already")
    os.umask(0o027)
    with _Server(path, _Handler) as server:
        os.chmod(path, 0o660)
        server.name, server.answer = name, answer
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"{name}: answers at {path}", flush=True)
        server.serve_forever()
        at_end()
    os.unlink(path)
