#!/bin/bash
# The package under systemd, from install to purge, with a boot between. Run in a virtual machine by package_test.cc, in
# a directory with two packages of rising versions: script/vm run --file FIRST --file SECOND --file THIS bash THIS
set -euo pipefail

mapfile -t packages < <(ls ./spl_*.deb | sort -V)
install() { apt-get -qq -o Dpkg::Use-Pty=0 install --yes --no-install-recommends "$1"; }
is() { # is WHAT WANTED FOUND
  echo "$1: $3"
  if [[ $3 != "$2" ]]; then
    echo "FAILED: $1 is to be $2"
    systemctl --no-pager status spl spl-services || true
    journalctl --no-pager --boot --unit spl --unit spl-services | tail -n 40
    exit 1
  fi
}
daemon() { systemctl show --property MainPID --value spl; }
service() { cat /var/lib/spl/data/notes/files/pid; }
runs() { if kill -0 "$1" 2>/dev/null; then echo runs; else echo gone; fi; }
differs() { if [[ $1 != "$2" ]]; then echo other; else echo same; fi; }
# Until the daemon is another one, and answers.
wait_for_another_than() {
  for _ in {1..60}; do
    if [[ $(daemon) != 0 && $(daemon) != "$1" ]] && systemctl --quiet is-active spl; then return; fi
    sleep 1
  done
}
instances() {
  find /var/lib/spl /etc/spl -printf '%y %m %U:%G %p\n'
  find /var/lib/spl /etc/spl -type f -exec sha256sum {} +
}

if ((BOOT == 1)); then
  install "${packages[0]}"
  is "daemon after the installation" inactive "$(systemctl is-active spl || true)"
  is "daemon at a boot" disabled "$(systemctl is-enabled spl || true)"
  is "services at a boot" disabled "$(systemctl is-enabled spl-services || true)"

  spl init
  cat >/usr/local/bin/notes <<'END'
#!/bin/bash
# Keeps its pid, and writes when it is told to end.
cd "$1/files" || exit
trap 'echo ended >>ended; exit 0' TERM
echo $$ >pid
while :; do sleep 1 & wait $!; done
END
  chmod 755 /usr/local/bin/notes
  cat >/var/lib/spl/services/notes.toml <<'END'
name    = "notes"
version = "1"
schema  = 1
summary = "Notes"
[run]
command = ["/usr/local/bin/notes", "{data}"]
init    = ["/bin/mkdir", "{data}/files"]
[[surface]]
name = "files"
kind = "files"
path = "{data}/files"
[[secret]]
handle = "notes/key"
class  = "portable"
END
  printf secret | spl secret set notes/key
  systemctl enable --now spl spl-services
  is daemon active "$(systemctl is-active spl)"
  is services active "$(systemctl is-active spl-services)"
  first=$(service)
  is service runs "$(runs "$first")"
  is "its control group" yes "$(grep -q /spl.service/ "/proc/$first/cgroup" && echo yes)"

  before=$(daemon)
  systemctl reload spl
  is "daemon after a reload" same "$(differs "$before" "$(daemon)")"
  systemctl restart spl
  is "daemon after a restart" other "$(differs "$before" "$(daemon)")"
  is "service after a restart" same "$(differs "$first" "$(service)")"
  before=$(daemon)
  kill -KILL "$before"
  wait_for_another_than "$before"
  is "daemon after it was killed" active "$(systemctl is-active spl)"
  is "service after the daemon was killed" runs "$(runs "$first")"

  # What the daemon freezes is below its group, also after it was started anew.
  spl export --out /root/whole.spl --plaintext -o json | tee /root/export.json
  is "consistency of a backup" yes "$(grep -q '"consistency":"quiesced"' /root/export.json && echo yes)"

  before=$(daemon)
  install "${packages[1]}" | tee /root/upgrade
  is "what an upgrade says" yes "$(grep -q 'goes on as version' /root/upgrade && echo yes)"
  is "daemon after an upgrade" same "$(differs "$before" "$(daemon)")"
  is "service after an upgrade" runs "$(runs "$first")"
  spl know "after the upgrade" --thread one

  spl service notes restart
  is "service after its own restart" other "$(differs "$first" "$(service)")"
  first=$(service)
  systemctl stop spl
  is "daemon after a stop" inactive "$(systemctl is-active spl || true)"
  is "service after a stop of the daemon" runs "$(runs "$first")"
  systemctl start spl
  wc -l </var/lib/spl/data/notes/files/ended >/root/ended
  systemctl reboot
  sleep 600
  exit 1
fi

is "how often the service was told to end, for the machine as well" "$(($(cat /root/ended) + 1))" \
  "$(wc -l </var/lib/spl/data/notes/files/ended)"
for _ in {1..60}; do
  if [[ $(systemctl is-active spl-services) == active ]]; then break; fi
  sleep 1
done
is "daemon after a boot" active "$(systemctl is-active spl)"
is "services after a boot" active "$(systemctl is-active spl-services)"
is "service after a boot" runs "$(runs "$(service)")"
first=$(service)
apt-get -qq -o Dpkg::Use-Pty=0 remove --yes spl
is "service after a remove" gone "$(runs "$first")"
is "how often it was told to end now" "$(($(cat /root/ended) + 2))" "$(wc -l </var/lib/spl/data/notes/files/ended)"
is "daemon after a remove" no "$(pidof spl || echo no)"
instances >/root/before
apt-get -qq -o Dpkg::Use-Pty=0 purge --yes spl
instances >/root/after
is "instance after a purge" "" "$(diff /root/before /root/after)"
is "links after a purge" "" "$(find /etc/systemd /var/lib/systemd -name 'spl*' 2>/dev/null || true)"
is "failed units" "" "$(systemctl --failed --plain --no-legend)"
echo "all of it"
