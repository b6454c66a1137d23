ask() { mariadb --no-defaults -S $run/mysqld.sock -BN app -e "$1"; }
prepare() {
  ask "CREATE TABLE fixed(id INT AUTO_INCREMENT PRIMARY KEY, word TEXT);
    INSERT INTO fixed(word) SELECT CONCAT('word ', seq) FROM seq_1_to_1000;
    CREATE VIEW lengths AS SELECT length(word) AS l, count(*) AS c FROM fixed GROUP BY 1;
    CREATE TABLE numbers(n INT PRIMARY KEY);
    CREATE TRIGGER small BEFORE INSERT ON fixed FOR EACH ROW SET NEW.word = lower(NEW.word)"
}
load() {
  local n=0
  while :; do
    n=$((n + 1))
    ask "INSERT INTO numbers VALUES ($n)"
    wrote $n
  done
}
fixed() { ask "SELECT * FROM fixed ORDER BY id; SELECT * FROM lengths ORDER BY 1"; }
numbers() { ask "SELECT n FROM numbers ORDER BY n"; }
works() {
  [ "$(ask "INSERT INTO fixed(word) VALUES ('AFTER'); SELECT word FROM fixed ORDER BY id DESC LIMIT 1")" = after ]
  # Who is not named has no way in.
  ! setpriv --reuid nobody --regid mysql --clear-groups mariadb --no-defaults -S $run/mysqld.sock -u root -e "SELECT 1" \
    2>/dev/null || { echo "nobody is root"; exit 1; }
}
