clients="python3-slixmpp"
ctl() { prosodyctl --config $run/prosody.cfg.lua "$@"; }
talk() { /usr/bin/python3 /catalog/prosody_client.py "$@"; }
prepare() {
  local who
  for who in alice bob carol; do ctl register $who localhost word-$who >/dev/null; done
  talk alice word-alice befriend carol@localhost
}
load() { talk alice word-alice count bob@localhost; }
fixed() { ctl shell user list localhost | grep @ | sort; talk alice word-alice roster; }
# Those that have waited for him.
numbers() { talk bob word-bob receive; }
works() {
  talk carol word-carol roster
  ! talk carol other roster 2>/dev/null || { echo "a wrong password logs in"; exit 1; }
}
