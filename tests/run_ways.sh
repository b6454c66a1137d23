#!/bin/bash
# Services that systemd, podman or docker runs: started, paused, backed up at one moment, restored, rolled back, and cut
# off in the midst of a restore, by a kill and by a new start of the machine. Run in a virtual machine by
# run_ways_test.cc, in a directory with the program: script/vm run --file spl --file THIS bash THIS
# units|users|reboot|podman|docker
set -euo pipefail
way=$1

is() { # is WHAT WANTED FOUND
  echo "$(date +%T) $1: $3"
  if [[ $3 != "$2" ]]; then
    echo "FAILED: $1 is to be $2"
    systemctl --no-pager status box.service writer.service writer.socket || true
    journalctl --no-pager --boot --unit writer.service | tail -n 20
    for name in writer box dock; do spl service $name status 2>&1 || true; done
    exit 1
  fi
}
code() { # the exit code of a command, what it says in a file
  local code=0
  "$@" >/root/said 2>&1 || code=$?
  if ((code != 0)); then sed 's/^/  /' /root/said >&2; fi
  echo "$code"
}
says() { if grep -qF -- "$1" /root/said; then echo yes; else cat /root/said; fi; }
state() { spl service "$1" status -o json | grep -o '"state":"[a-z]*"' | head -n 1 | cut -d'"' -f4; }
held() { spl service "$1" status -o json | grep -o '"held":[a-z]*' | head -n 1 | cut -d: -f2; }
last() { tail -n 1 "$1/a"; }
stands() { # whether nothing is written for a while
  local before
  before=$(last "$1")
  sleep 2
  if [[ $(last "$1") == "$before" ]]; then echo yes; else echo no; fi
}
goes_on() {
  local before
  before=$(last "$1")
  for _ in {1..50}; do
    if [[ $(last "$1") != "$before" ]]; then echo yes; return; fi
    sleep 0.2
  done
  echo no
}
one_moment() { # of the two files of a bundle, which are written one after the other
  rm -rf /root/x
  spl bundle extract "$1" "services/$2/" --to /root/x >/dev/null
  local a b
  a=$(tail -n 1 "$(find /root/x -name a)")
  b=$(tail -n 1 "$(find /root/x -name b)")
  if ((a == b || a == b + 1)); then echo yes; else echo "a $a, b $b"; fi
}
drop_ins() { find /etc/systemd/system -name '*held.conf' | wc -l; }
backup() { # backup SERVICE FILE
  rm -f "$2"
  is "a backup of $1" 0 "$(code spl service "$1" backup --to "$2" --plaintext -o json)"
  is "its consistency" yes "$(says '"consistency":"quiesced"')"
  grep -o '"step":"[a-z ]*","ms":[0-9.]*' /root/said
  is "its moment" yes "$(one_moment "$2" "$1")"
}
forget() { spl service "$1" restore --discard-previous >/dev/null; }

# What every way has in common. SERVICE is declared and runs; DATA is where its data is.
life() {
  local service=$1 data=$2
  is "$service runs" running "$(state "$service")"
  is "$service: pause" 0 "$(code spl service "$service" pause)"
  is "$service is paused" paused "$(state "$service")"
  is "$service stands still" yes "$(stands "$data")"
  is "$service: resume" 0 "$(code spl service "$service" resume)"
  is "$service goes on" yes "$(goes_on "$data")"
  is "$service: logs" yes "$(spl service "$service" logs | grep -q 'it writes' && echo yes)"
  is "$service: stop" 0 "$(code spl service "$service" stop)"
  is "$service is down" down "$(state "$service")"
  is "$service: restart" 0 "$(code spl service "$service" restart)"
  is "$service goes on again" yes "$(goes_on "$data")"
  is "doctor" 0 "$(code spl doctor)"

  backup "$service" /root/$service.spl
  is "$service goes on after it" yes "$(goes_on "$data")"
  echo new >"$data/new"
  is "$service: restore" 0 "$(code spl service "$service" restore --from /root/$service.spl --replace)"
  is "what is newer" gone "$(if [[ -e $data/new ]]; then echo there; else echo gone; fi)"
  is "$service goes on from the bundle" yes "$(goes_on "$data")"
  is "$service is held" false "$(held "$service")"
  is "drop-ins" 0 "$(drop_ins)"
  forget "$service"

  # A bundle of data with which it does not start.
  touch "$data/poison"
  backup "$service" /root/poison.spl
  rm "$data/poison"
  echo new >"$data/new"
  is "$service: a restore that is rolled back" yes \
    "$([[ $(code spl service "$service" restore --from /root/poison.spl --replace) != 0 ]] && echo yes)"
  is "it says why" yes "$(says 'poisoned')"
  is "what is newer" there "$(if [[ -e $data/new ]]; then echo there; else echo gone; fi)"
  is "$service goes on as before" yes "$(goes_on "$data")"
  is "$service is held" false "$(held "$service")"
  is "drop-ins" 0 "$(drop_ins)"

  # Killed between the swap and the commit: the first start with what was restored ends spl.
  touch /srv/signals/kill-at-start
  is "$service: a restore that is killed" 137 "$(code spl service "$service" restore --from /root/$service.spl --replace)"
  is "$service: the next start" 0 "$(code spl service "$service" resume)"
  is "what is newer" there "$(if [[ -e $data/new ]]; then echo there; else echo gone; fi)"
  is "$service goes on as before" yes "$(goes_on "$data")"
  is "$service is held" false "$(held "$service")"
  is "drop-ins" 0 "$(drop_ins)"
}

set_up() {
  install -m 755 spl /usr/local/bin/spl
  cat >/usr/local/bin/writer <<'END_OF_WRITER'
#!/bin/bash
# Writes one number after the other, first into a, then into b. Data with a file poison is none with which it starts.
cd "$1" || exit
if [[ -e poison ]]; then echo "poisoned"; exit 1; fi
echo "it writes"
n=$(tail -n 1 b 2>/dev/null) || n=0
trap 'exit 0' TERM
while :; do n=$((n + 1)); echo $n >>a; echo $n >>b; sleep 0.05; done
END_OF_WRITER
  cat >/usr/local/bin/killer <<'END_OF_KILLER'
#!/bin/bash
# Ends spl where the file is there, once.
if [[ -e $1 ]]; then
  rm "$1"
  kill -KILL $(pidof spl)
fi
END_OF_KILLER
  chmod 755 /usr/local/bin/writer /usr/local/bin/killer
  mkdir -p /srv/writer /srv/box /srv/dock /srv/signals
  spl init
}
declare_service() { # declare_service NAME WAY DIRECTORY
  cat >/var/lib/spl/services/"$1".toml <<END_OF_SERVICE
name    = "$1"
version = "1"
schema  = 1
summary = "Writes"
[run]
$2
[[surface]]
name = "files"
kind = "files"
path = "$3"
END_OF_SERVICE
}

# A unit that writes, and a socket that would start it.
set_up_unit() {
  set_up
  # In the operator's own directory: what a runtime mask would not reach.
  cat >/etc/systemd/system/writer.service <<'END_OF_UNIT'
[Service]
ExecStartPre=/usr/local/bin/killer /srv/signals/kill-at-start
ExecStart=/usr/local/bin/writer /srv/writer
ExecStop=/usr/local/bin/killer /srv/signals/kill-at-stop
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
END_OF_UNIT
  cat >/etc/systemd/system/writer.socket <<'END_OF_UNIT'
[Socket]
ListenStream=/run/writer.sock
[Install]
WantedBy=sockets.target
END_OF_UNIT
  systemctl daemon-reload
  systemctl enable --now writer.socket writer.service
}

if [[ $way == units ]]; then
  set_up_unit
  # What is not there is said, and nothing is done.
  declare_service writer 'unit = "missing.service"' /srv/writer
  is "start of a unit that is missing" yes "$([[ $(code spl service writer start) != 0 ]] && says 'no unit missing.service')"
  is "a backup of it" yes "$([[ $(code spl service writer backup --to /root/m.spl --plaintext) != 0 ]] && says 'no unit missing.service')"
  is "doctor of it" yes "$([[ $(code spl doctor) != 0 ]] && says 'no unit missing.service')"

  declare_service writer 'unit = "writer.service"' /srv/writer
  is "the unit's socket" active "$(systemctl is-active writer.socket)"
  is "writer runs" running "$(state writer)"
  is "a stop" 0 "$(code spl service writer stop)"
  is "its socket, which would start it" inactive "$(systemctl is-active writer.socket || true)"
  is "a start" 0 "$(code spl service writer start)"
  is "its socket" active "$(systemctl is-active writer.socket)"
  life writer /srv/writer
  is "its socket" active "$(systemctl is-active writer.socket)"
  is "what spl remembers" "" "$(ls /var/lib/spl/held 2>/dev/null)"
elif [[ $way == users ]]; then
  # A user's own units, for a spl that is not root's.
  set_up
  useradd --create-home joe
  loginctl enable-linger joe
  for _ in {1..60}; do if [[ -e /run/user/$(id -u joe)/systemd/private ]]; then break; fi; sleep 1; done
  as_joe() { (cd / && runuser -u joe -- env XDG_RUNTIME_DIR="/run/user/$(id -u joe)" "$@"); }
  as_joe mkdir -p /home/joe/.config/systemd/user /home/joe/w
  printf '[Service]\nExecStart=/usr/local/bin/writer /home/joe/w\n' >/home/joe/.config/systemd/user/own.service
  as_joe systemctl --user daemon-reload
  as_joe spl init >/dev/null
  printf 'name = "own"\nversion = "1"\n[run]\nunit = "own.service"\n[[surface]]\nname = "files"\nkind = "files"\npath = "/home/joe/w"\n' |
    as_joe tee /home/joe/.syncro/services/own.toml >/dev/null
  is "start of a user's own" 0 "$(code as_joe spl service own start)"
  is "backup of it" 0 "$(code as_joe spl service own backup --to /home/joe/own.spl --plaintext -o json)"
  is "its consistency" yes "$(says '"consistency":"quiesced"')"
  is "restore of it" 0 "$(code as_joe spl service own restore --from /home/joe/own.spl --replace)"
  is "it goes on" yes "$(goes_on /home/joe/w)"
  is "its drop-ins" 0 "$(find /home/joe/.config/systemd -name '*held.conf' | wc -l)"
  is "root in that home" yes "$([[ $(code spl --home /home/joe/.syncro service own stop) != 0 ]] && says "another user's")"
elif [[ $way == reboot ]] && ((BOOT == 1)); then
  set_up_unit
  # Killed when the unit has just been told to end: it stays down, also when the machine has been started anew.
  declare_service writer 'unit = "writer.service"' /srv/writer
  backup writer /root/writer.spl
  echo newer >/srv/writer/new
  touch /srv/signals/kill-at-stop
  is "a restore that is killed" 137 "$(code spl service writer restore --from /root/writer.spl --replace)"
  is "drop-ins" 1 "$(drop_ins)"
  is "a start of the unit by hand" yes "$([[ $(code systemctl start writer.service) != 0 ]] && echo yes)"
  is "writer is held" true "$(held writer)"
  systemctl reboot
  sleep 600
  exit 1
elif [[ $way == reboot ]]; then
  is "the unit at a boot" enabled "$(systemctl is-enabled writer.service)"
  is "the unit after a boot" inactive "$(systemctl is-active writer.service || true)"
  is "doctor of a restore that was cut off" yes "$([[ $(code spl doctor) != 0 ]] && says 'a restore keeps it down')"
  is "the next start" 0 "$(code spl service all resume)"
  is "what is newer" newer "$(cat /srv/writer/new)"
  is "writer goes on" yes "$(goes_on /srv/writer)"
  is "its socket" active "$(systemctl is-active writer.socket)"
  is "drop-ins" 0 "$(drop_ins)"
  is "what spl remembers" "" "$(ls /var/lib/spl/held)"
  is "all stop" 0 "$(code spl service all stop)"
  is "writer is down" inactive "$(systemctl is-active writer.service || true)"
  is "all start" 0 "$(code spl service all start)"
  is "writer goes on" yes "$(goes_on /srv/writer)"
else
  set_up
  # A root for containers: a shell and what the writer calls.
  mkdir root
  for program in /bin/bash /bin/sleep /usr/bin/tail /usr/bin/env; do
    cp --parents "$program" root
    for library in $(ldd "$program" | grep -o '/[^ ]*'); do cp -L --parents "$library" root; done
  done
  mkdir -p root/{data,proc,dev,sys,etc,tmp,run} root/usr/local/bin
  cp /usr/local/bin/writer root/usr/local/bin/
  ln -sf bash root/bin/sh
  tar -C root -cf root.tar .

  try_container() { # try_container SERVICE TOOL OPTION...
    local service=$1 tool=$2
    shift 2
    "$tool" import root.tar writer >/dev/null
    "$tool" create --name "$service.one" --network none "$@" -v "/srv/$service:/data" -v /srv/signals:/signals writer \
      /bin/bash -c 'if [[ -e /signals/kill-at-start ]]; then
          : >/signals/has-begun
          while [[ -e /signals/kill-at-start ]]; do sleep 0.1; done
        fi
        exec /usr/local/bin/writer /data' >/dev/null
    is "$tool" "$service.one" "$("$tool" ps --all --format '{{.Names}}')"
    is "$service is down" down "$(state "$service")"
    is "$service: start" 0 "$(code spl service "$service" start)"
    # From outside: the container sees no spl.
    (until [[ -e /srv/signals/has-begun ]]; do sleep 0.2; done
     kill -KILL $(pidof spl)
     rm /srv/signals/kill-at-start) &
    life "$service" "/srv/$service"
    is "$service: processes in its own group" yes "$(grep -qE "libpod|docker" "/proc/$("$tool" inspect -f '{{.State.Pid}}' "$service.one")/cgroup" && echo yes)"
  }
  if [[ $way == podman ]]; then
    declare_service box 'container = "box.one"' /srv/box
    is "a container that is missing" yes "$([[ $(code spl service box start) != 0 ]] && says 'no container box.one')"
    try_container box podman
    is "stop of box" 0 "$(code spl service box stop)"
    # This podman cannot be told that one of these is to stay down.
    podman rm box.one >/dev/null
    podman create --name box.one --network none --restart always -v /srv/box:/data writer /usr/local/bin/writer /data >/dev/null
    is "a restore of one that comes back" yes "$([[ $(code spl service box restore --from /root/box.spl --replace) != 0 ]] && says 'comes back by itself')"
    podman rm --force box.one >/dev/null
  else
    echo '{"iptables": false, "bridge": "none"}' >/etc/docker/daemon.json
    systemctl start docker
    declare_service dock 'container = "dock.one"' /srv/dock
    try_container dock docker --restart unless-stopped
    is "its restart policy" unless-stopped "$(docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' dock.one)"
    is "stop of dock" 0 "$(code spl service dock stop)"
  fi
fi
echo "all of it"
