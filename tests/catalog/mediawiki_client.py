"""A client of MediaWiki's API:  URL PASSWORD  fill | count | login | images"""
import http.cookiejar
import hashlib
import json
import sys
import urllib.parse
import urllib.request
import uuid

url, password, what = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))


def ask(method, **words):
    data = urllib.parse.urlencode(words | {"format": "json"})
    if method == "GET":
        answer = opener.open(f"{url}/api.php?{data}", timeout=120)
    else:
        answer = opener.open(f"{url}/api.php", data.encode(), timeout=120)
    said = json.load(answer)
    if "error" in said:
        sys.exit(str(said["error"]))
    return said


def token(kind):
    return ask("GET", action="query", meta="tokens", type=kind)["query"]["tokens"][kind + "token"]


def login():
    said = ask("POST", action="login", lgname="Admin", lgpassword=password, lgtoken=token("login"))["login"]
    if said["result"] != "Success":
        sys.exit(str(said))
    return token("csrf")


def edit(csrf, title, text):
    said = ask("POST", action="edit", title=title, text=text, token=csrf)
    if said["edit"]["result"] != "Success":
        sys.exit(str(said))


def png(n):
    """A picture of one point."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(bytes([0, n, n, n]))) + chunk(b"IEND", b""))


def upload(csrf, name, content):
    boundary = uuid.uuid4().hex
    body = b""
    for field, value in (("action", "upload"), ("filename", name), ("token", csrf), ("ignorewarnings", "1"),
                         ("format", "json")):
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
    body += (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
             "Content-Type: image/png\r\n\r\n").encode() + content + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(f"{url}/api.php", body,
                                     {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    said = json.load(opener.open(request, timeout=120))
    if said.get("upload", {}).get("result") != "Success":
        sys.exit(str(said))


if what == "login":
    login()
elif what == "fill":
    csrf = login()
    for n in range(1, 31):
        edit(csrf, f"Fixed {n}", f"Text number {n}.")
        if n % 3 == 0:
            edit(csrf, f"Fixed {n}", f"Another text, number {n}.")
    for n in range(3):
        upload(csrf, f"Point{n}.png", png(n))
elif what == "count":
    csrf = login()
    n = 0
    while True:
        n += 1
        edit(csrf, f"N {n}", f"Number {n}")
        with open("/written", "a") as file:
            file.write(f"{n}\n")
elif what == "images":
    for image in ask("GET", action="query", list="allimages", ailimit="50")["query"]["allimages"]:
        content = opener.open(image["url"], timeout=120).read()
        print(image["name"], len(content), hashlib.sha256(content).hexdigest())
