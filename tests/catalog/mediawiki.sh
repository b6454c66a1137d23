# With SQLite and with MariaDB.
clients="python3"
case $entry in
  mediawiki) url=http://127.0.0.1:8082 ;;
  mediawiki-sqlite) url=http://127.0.0.1:8081 ;;
esac
secrets() {
  printf 'a long password of Admin' | spl secret set $entry/admin_password
  head -c 24 /dev/urandom | base64 | spl secret set $entry/secret_key
}
wiki() { /usr/bin/python3 /catalog/mediawiki_client.py $url "$@"; }
prepare() { wiki 'a long password of Admin' fill; }
load() { wiki 'a long password of Admin' count; }
dump() {  # TITLES
  MW_CONFIG_FILE=$run/LocalSettings.php MW_DATA=$data MW_RUN=$run MW_SECRET_KEY=x \
    MW_SOCKET=$home/run/services/mariadb-server/mysqld.sock setpriv --reuid www-data --regid "$(group)" --clear-groups \
    php /usr/share/mediawiki/maintenance/dumpBackup.php --full --quiet "$@"
}
group() { if [ $entry = mediawiki ]; then echo mysql; else echo www-data; fi; }
fixed() {
  seq -f 'Fixed %g' 30 >/titles
  chmod 644 /titles
  dump --pagelist=/titles
  wiki '' images
}
numbers() { dump | sed -n 's:.*<title>N \([0-9]*\)</title>.*:\1:p' | sort -n; }
works() {
  wiki 'a long password of Admin' login
  ! wiki 'another password of Admin' login 2>/dev/null || { echo "a wrong password logs in"; exit 1; }
}
