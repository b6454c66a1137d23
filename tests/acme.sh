#!/bin/bash
# The router's certificate by ACME, from Debian's caddy as the authority. To be run in network and mount namespaces of its
# own, as root: port 80 and the name are this test's alone.
#
#   acme.sh DIRECTORY SPL
set -euo pipefail
directory=$1
spl=$2
home=$directory/home

ip link set lo up
printf '127.0.0.1 localhost box.test\n' >"$directory/hosts"
mount --bind "$directory/hosts" /etc/hosts

cat >"$directory/Caddyfile" <<END
{
  admin off
  storage file_system $directory/caddy
  skip_install_trust
  auto_https disable_redirects
  http_port 9680
  https_port 9643
}
https://localhost:9643 {
  tls internal
  acme_server
}
END
XDG_CONFIG_HOME=$directory XDG_DATA_HOME=$directory HOME=$directory \
  caddy run --config "$directory/Caddyfile" >"$directory/caddy.log" 2>&1 &
caddy=$!
cleanup() {
  "$spl" --home "$home" router stop >/dev/null 2>&1 || true
  "$spl" --home "$home" stop >/dev/null 2>&1 || true
  kill "$caddy" 2>/dev/null || true
  wait "$caddy" 2>/dev/null || true
}
trap cleanup EXIT
root=$directory/caddy/pki/authorities/local/root.crt
until [[ -s $root ]] && curl -sf --cacert "$root" https://localhost:9643/acme/local/directory >/dev/null; do
  kill -0 "$caddy"
  sleep 0.1
done

"$spl" --home "$home" init
cat >>"$home/config.toml" <<END
[router]
names = ["box.test"]
https = 443
http = 80
certificate = "acme"
acme_url = "https://localhost:9643/acme/local/directory"
acme_ca_file = "$root"
END
"$spl" --home "$home" serve --daemon --port 0
"$spl" --home "$home" router start -o json
curl -sf --cacert "$root" https://box.test/-/claim | grep -q 'action="/v1/door/claim"'
"$spl" --home "$home" router status -o json | tee "$directory/status.json"
# It holds still: nothing is asked for again.
before=$(stat -c %Y.%i "$home/router/certificate.pem")
"$spl" --home "$home" router reload >/dev/null
[[ $(stat -c %Y.%i "$home/router/certificate.pem") == "$before" ]]
