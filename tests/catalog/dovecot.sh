clients="python3 curl"
adm() { setpriv --reuid vmail --regid vmail --clear-groups doveadm -c $run/dovecot.conf "$@"; }
letter() { printf 'From: me@localhost\r\nTo: me@localhost\r\nSubject: %s\r\nDate: Mon, 01 Jan 2024 12:00:00 +0000\r\n\r\nAbout %s.\r\n' "$1" "$1"; }
prepare() {
  echo "me:$(doveadm pw -s SHA512-CRYPT -p word)" >>$data/users/passwd
  adm mailbox create -u me Kept
  local n
  for n in $(seq 40); do letter "fixed $n" | adm save -u me -m Kept; done
  adm flags add -u me '\Flagged' mailbox Kept 7
  adm flags add -u me '\Seen' mailbox Kept 8:20
}
# Over IMAP.
load() {
  /usr/bin/python3 - <<'END'
import imaplib
mail = imaplib.IMAP4("127.0.0.1", 10143)
mail.login("me", "word")
n = 0
while True:
    n += 1
    letter = f"From: me@localhost\r\nSubject: n {n}\r\n\r\nAbout {n}.\r\n".encode()
    assert mail.append("INBOX", None, None, letter)[0] == "OK"
    with open("/written", "a") as file:
        file.write(f"{n}\n")
END
}
fixed() { adm fetch -u me 'mailbox uid guid flags date.received text' mailbox Kept; }
numbers() { adm fetch -u me hdr.subject mailbox INBOX | sed -n 's/^hdr.subject: n //p' | sort -n; }
works() {
  curl -sS --fail --user me:word 'imap://127.0.0.1:10143/Kept;UID=3' | grep -q '^About fixed 3'
  ! curl -s --user me:other imap://127.0.0.1:10143/ >/dev/null || { echo "a wrong password logs in"; exit 1; }
}
