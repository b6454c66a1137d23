# A service for the router's tests: answers every request with what came, as JSON. Usage: echo_service.py SOCKET
# Paths: /hello is its health; /accel asks nginx for a file; /slow sends a piece, waits until /go was asked, sends more;
# an upgrade becomes an echo of octets, at /closed it ends at once.
import json
import os
import socketserver
import sys
import threading

go = threading.Event()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.one():
            pass

    def one(self):
        line = self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")
        if not line:
            return False
        method, target, _ = line.split(" ", 2)
        fields = []
        while True:
            field = self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")
            if not field:
                break
            name, value = field.split(":", 1)
            fields.append([name.lower(), value.strip()])
        named = dict(fields)
        if named.get("upgrade"):
            self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            while not target.endswith("/closed") and (octets := self.connection.recv(4096)):
                self.connection.sendall(octets)
            return False
        length = 0
        if named.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline(64), 16):
                while size > 0:
                    size -= (n := len(self.rfile.read(min(size, 1 << 20))))
                    length += n
                self.rfile.readline(8)
            self.rfile.readline(8)
        else:
            left = int(named.get("content-length", "0"))
            while left > 0:
                left -= (n := len(self.rfile.read(min(left, 1 << 20))))
                length += n
        if target.endswith("/slow"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n")
            self.wfile.write(b"5\r\nfirst\r\n")
            self.wfile.flush()
            go.wait(60)
            self.wfile.write(b"4\r\nlast\r\n0\r\n\r\n")
            return True
        if target.endswith("/go"):
            go.set()
        more = "X-Accel-Redirect: /etc/passwd\r\nX-Accel-Limit-Rate: 1\r\n" if target.endswith("/accel") else ""
        body = json.dumps({"method": method, "target": target, "fields": fields, "body_bytes": length}).encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: own=1\r\n" + more
        self.wfile.write((head + "Content-Length: %d\r\n\r\n" % len(body)).encode() + body)
        return True


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
Server(sys.argv[1], Handler).serve_forever()
