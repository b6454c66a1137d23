ask() { setpriv --reuid postgres --regid postgres --clear-groups psql -XAtq -v ON_ERROR_STOP=1 -h $run -U postgres -d app "$@"; }
prepare() {
  ask -c "CREATE TABLE fixed(id serial PRIMARY KEY, word text, more jsonb);
    INSERT INTO fixed(word, more) SELECT 'word ' || n, json_build_object('n', n) FROM generate_series(1, 1000) n;
    CREATE VIEW lengths AS SELECT length(word) AS l, count(*) FROM fixed GROUP BY 1;
    CREATE TABLE numbers(n int PRIMARY KEY);
    ALTER TABLE fixed OWNER TO app; ALTER TABLE numbers OWNER TO app"
}
load() {
  local n=0
  while :; do
    n=$((n + 1))
    ask -c "INSERT INTO numbers VALUES ($n)"
    wrote $n
  done
}
fixed() { ask -c "COPY (SELECT * FROM fixed ORDER BY id) TO STDOUT" -c "SELECT * FROM lengths ORDER BY 1" -c "SELECT last_value FROM fixed_id_seq"; }
numbers() { ask -c "SELECT n FROM numbers ORDER BY n"; }
works() { ask -c "SET ROLE app; INSERT INTO fixed(word) VALUES ('after')"; }
