#!/bin/bash
# Instances on machines of their own: each in a network namespace with its own address, TLS between them. A moves to a new
# address; its peers sync on with no command but spl sync, also the one that was not told, also where somebody else
# answers at the old address. Needs root and ip(8). Usage: federation_namespaces.sh SPL DIRECTORY
set -euo pipefail
spl=$1 work=$2
tag=spl$$
spaces=()

clean() {
  for home in "$work"/home-*; do "$spl" --home "$home" stop > /dev/null 2>&1 || true; done
  for space in "${spaces[@]}"; do ip netns delete "$space" 2> /dev/null || true; done
}
trap clean EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

# A switch, and a machine NAME with the address 10.99.0.N on it.
ip netns add "$tag-switch"
spaces+=("$tag-switch")
ip -n "$tag-switch" link add bridge type bridge
ip -n "$tag-switch" link set bridge up
machine() { # NAME N
  ip netns add "$tag-$1"
  spaces+=("$tag-$1")
  ip -n "$tag-$1" link set lo up
  ip -n "$tag-$1" link add eth0 type veth peer name "port-$1" netns "$tag-switch"
  ip -n "$tag-switch" link set "port-$1" master bridge up
  ip -n "$tag-$1" address add "10.99.0.$2/24" dev eth0
  ip -n "$tag-$1" link set eth0 up
  certificate "10.99.0.$2"
}

openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=test-ca -keyout "$work/ca.key" -out "$work/ca.pem" 2> /dev/null
certificate() { # ADDRESS
  openssl req -newkey ed25519 -nodes -subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.csr" 2> /dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -days 2 \
    -extfile <(echo "subjectAltName=IP:$1") -out "$work/$1.pem" 2> /dev/null
}

on() { "$spl" --home "$work/home-$1" "${@:2}"; }
serve() { # HOME MACHINE N
  ip netns exec "$tag-$2" "$spl" --home "$work/home-$1" serve --daemon --host "10.99.0.$3" --port 9100 \
    --tls-cert "$work/10.99.0.$3.pem" --tls-key "$work/10.99.0.$3.key" --ca-file "$work/ca.pem" > /dev/null
}
did() { on "$1" identity show -o json | sed 's/.*"did":"\([^"]*\)".*/\1/'; }
pair() { # HOME URL OTHER
  on "$1" federation pair "$2" --wait 0 > /dev/null 2>&1
  on "$3" aitl approve "$(on "$3" aitl list -o json | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')" > /dev/null
  on "$1" sync > /dev/null
}
# Until the daemon of HOME has tried in vain to tell N peers where it is.
not_told() { # HOME N
  for ((i = 0; i < 600; ++i)); do
    [ "$(grep -c peer-not-told "$work/home-$1/logs/spl.log")" -ge "$2" ] && return
    sleep 0.1
  done
  fail "$1 did not try to tell its peers"
}
# The instance of home FROM goes on in home TO, on machine TO at 10.99.0.N, and tells PEER.
moves() { # FROM TO N PEER UNTOLD
  on "$1" export --out "$work/$1.spl" --move > /dev/null 2>&1
  on "$1" stop > /dev/null
  on "$2" import "$work/$1.spl" > /dev/null
  serve "$2" "$2" "$3"
  not_told "$2" "$5"
  on "$2" sync "$(did "$4")" > /dev/null
}
new_record() { on "$1" do work -o json | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/'; }
has() { on "$1" record get "$2" > /dev/null 2>&1; }
address() { on "$1" federation show "$2" -o json | sed 's/.*"peer_base_url":"\([^"]*\)".*/\1/'; }

machine a 1; machine b 2; machine c 3; machine d 4; machine new 5; machine newer 6
for home in a b c d; do on $home init > /dev/null; done
serve a a 1; serve b b 2; serve c c 3; serve d d 4
pair a https://10.99.0.2:9100 b
pair a https://10.99.0.3:9100 c
pair b https://10.99.0.3:9100 c
pair d https://10.99.0.1:9100 a
a=$(did a)
first=$(new_record a)
for peer in b c d; do on $peer sync "$a" > /dev/null; has $peer "$first" || fail "$peer did not get the first record"; done

echo "A moves; C and D are away meanwhile, and somebody else takes A's address"
on c stop > /dev/null; on d stop > /dev/null
moves a new 5 b 2
second=$(new_record new)
on stranger init > /dev/null
serve stranger a 1
on b sync "$a" > /dev/null
has b "$second" || fail "B, which was told, did not go on"
[ "$(address b "$a")" = https://10.99.0.5:9100 ] || fail "B did not note the new address"
serve c c 3
on c sync "$a" > /dev/null || fail "C did not find A by asking B"
has c "$second" || fail "C did not go on"
[ "$(address c "$a")" = https://10.99.0.5:9100 ] || fail "C did not note the new address"

echo "D has nobody to ask"
serve d d 4
if on d sync "$a" > "$work/out" 2> "$work/err"; then fail "D synced with a stranger"; fi
grep -q "spl federation refresh $a" "$work/err" || fail "D's error does not say what to do: $(cat "$work/err")"
has d "$second" && fail "D got a record from nowhere"
on d federation refresh "$a" --url https://10.99.0.5:9100 > /dev/null
on d sync > /dev/null
has d "$second" || fail "D did not go on after the refresh"

echo "a directory knows where A has gone"
echo 'directory_url = "https://10.99.0.3:9100"' >> "$work/home-d/config.toml"
on d stop > /dev/null
moves new newer 6 c 1
third=$(new_record newer)
serve d d 4
on d sync "$a" > /dev/null || fail "D did not find A by the directory"
has d "$third" || fail "D did not go on"

echo "an instance without the right certificate is not spoken to"
on stranger stop > /dev/null
ip netns exec "$tag-a" "$spl" --home "$work/home-stranger" serve --daemon --host 10.99.0.1 --port 9100 \
  --tls-cert "$work/10.99.0.2.pem" --tls-key "$work/10.99.0.2.key" > /dev/null
if on b federation pair https://10.99.0.1:9100 --wait 0 2> "$work/err"; then fail "a wrong certificate was believed"; fi
grep -qi "certificate" "$work/err" || fail "the error does not name the certificate: $(cat "$work/err")"
echo PASS
