clients="openssh-client git"
export GIT_SSH_COMMAND="ssh -p 2022 -i /keys/admin -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
url=ssh://gitolite3@127.0.0.1
as() { GIT_SSH_COMMAND="${GIT_SSH_COMMAND/admin/$1}" "${@:2}"; }
asks() { $GIT_SSH_COMMAND gitolite3@127.0.0.1 "$@"; }
export GIT_AUTHOR_NAME=me GIT_AUTHOR_EMAIL=me@localhost GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@localhost
secrets() {
  # The same people on both machines.
  if [ -d $saved/keys ]; then
    cp -a $saved/keys /keys
  else
    apt-get -qq --yes -o Dpkg::Use-Pty=0 install --no-install-recommends openssh-client >/dev/null 2>&1
    mkdir -p /keys $saved
    for who in admin reader stranger; do ssh-keygen -q -t ed25519 -N "" -C $who -f /keys/$who; done
    cp -a /keys $saved/
  fi
  spl secret set gitolite3/admin_key </keys/admin.pub
}
by_hand() { usermod --shell /bin/sh gitolite3; }
prepare() {
  cd /
  git clone -q $url/gitolite-admin admin
  cd admin
  cp /keys/reader.pub keydir/reader.pub
  cat >>conf/gitolite.conf <<'END'

repo work
    RW+ = admin
    R   = reader
END
  git add -A
  git commit -qm "A repository, and who reads it"
  git push -q origin HEAD
  cd /
  git clone -q $url/work work 2>/dev/null
  cd work
  cp /etc/services fixed
  git add fixed
  git commit -qm fixed
  git tag v1
  git push -q origin HEAD:refs/heads/main v1
}
load() {
  cd /work
  local n=0
  while :; do
    n=$((n + 1))
    git commit -q --allow-empty -m "n $n"
    git push -q origin HEAD:refs/heads/main
    wrote $n
  done
}
fixed() {
  asks info
  as reader asks info
  git ls-remote --tags $url/work
}
numbers() {
  rm -rf /all
  git clone -q --branch main $url/work /all
  git -C /all fsck --full --strict --no-dangling >&2
  git -C /all log --reverse --format=%s | sed -n 's/^n //p'
}
works() {
  cd /all
  git push -q origin HEAD:refs/heads/other
  ! as reader git push -q origin HEAD:refs/heads/third 2>/dev/null || { echo "who only reads has pushed"; exit 1; }
  as reader git ls-remote -q $url/work >/dev/null
  ! as stranger git ls-remote -q $url/work >/dev/null 2>&1 || { echo "a stranger reads"; exit 1; }
}
