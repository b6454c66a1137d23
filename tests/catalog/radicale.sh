clients="vdirsyncer curl openssl"
url=http://127.0.0.1:5232
event() {  # NAME
  printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//spl//test//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20240101T000000Z\r\n' "$1"
  printf 'DTSTART:20240101T120000Z\r\nSUMMARY:About %s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n' "$1"
}
syncs() {  # DIRECTORY: the calendar comes to it, and what is in it goes there
  mkdir -p "$1/cal"
  cat >"$1.config" <<END
[general]
status_path = "$1.status/"
[pair both]
a = "here"
b = "there"
collections = ["cal"]
[storage here]
type = "filesystem"
path = "$1/"
fileext = ".ics"
[storage there]
type = "caldav"
url = "$url/"
username = "me"
password = "${2:-word}"
END
  vdirsyncer -c "$1.config" discover >/log.sync 2>&1 < <(yes 2>/dev/null) && vdirsyncer -c "$1.config" sync >>/log.sync 2>&1
}
prepare() {
  echo "me:$(openssl passwd -apr1 word)" >>$data/users/htpasswd
  mkdir -p /here/cal
  local n
  for n in $(seq 80); do event "fixed-$n" >/here/cal/fixed-$n.ics; done
  syncs /here || { cat /log.sync; exit 1; }
}
load() {
  local n=0
  while :; do
    n=$((n + 1))
    event "n-$n" | curl -sS --fail -u me:word -X PUT --data-binary @- -H 'Content-Type: text/calendar' "$(calendar)n-$n.ics"
    wrote $n
  done
}
calendar() { echo "$url/me/cal/"; }
all() {  # into /all/cal
  rm -rf /all /all.status
  syncs /all || { cat /log.sync; exit 1; }
}
fixed() { all; cd /all/cal; grep -l UID:fixed- * | wc -l; grep -h ^SUMMARY *.ics | grep fixed- | sort; }
numbers() { all; grep -h ^UID:n- /all/cal/*.ics | tr -d '\r' | sed 's/UID:n-//' | sort -n; }
works() { if syncs /wrong other; then echo "a wrong password logs in"; exit 1; fi; }
