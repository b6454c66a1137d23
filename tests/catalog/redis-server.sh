ask() { redis-cli -e -s $run/redis.sock "$@"; }
prepare() {
  ask HSET fixed:hash a 1 b 2 >/dev/null
  ask ZADD fixed:sorted 3 c 4 d >/dev/null
  ask SET fixed:ends word PXAT 4102444800000 >/dev/null
  ask -n 3 XADD fixed:stream 1-1 a b >/dev/null
}
load() {
  local n=0
  while :; do
    n=$((n + 1))
    ask RPUSH numbers $n >/dev/null
    wrote $n
  done
}
fixed() {
  ask HGETALL fixed:hash
  ask ZRANGE fixed:sorted 0 -1 WITHSCORES
  ask GET fixed:ends
  ask PEXPIRETIME fixed:ends
  ask -n 3 XRANGE fixed:stream - +
}
numbers() { ask LRANGE numbers 0 -1; }
