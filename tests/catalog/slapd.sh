clients="ldap-utils"
base=dc=example,dc=org
socket="ldapi://$(echo $run/ldapi | sed s:/:%2F:g)"
manage() { "$1" -Q -Y EXTERNAL -H "$socket" "${@:2}"; }
prepare() {
  {
    printf 'dn: ou=people,%s\nobjectClass: organizationalUnit\nou: people\n\n' $base
    printf 'dn: ou=numbers,%s\nobjectClass: organizationalUnit\nou: numbers\n\n' $base
    for n in $(seq 50); do
      printf 'dn: uid=u%s,ou=people,%s\nobjectClass: inetOrgPerson\nuid: u%s\ncn: Person %s\nsn: %s\n' $n $base $n $n $n
      printf 'userPassword: %s\n\n' "$(slappasswd -s word$n)"
    done
  } | manage ldapadd >/dev/null
  printf 'dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcDbIndex\nolcDbIndex: sn eq\n' |
    manage ldapmodify >/dev/null
}
load() {
  local n=0
  while :; do
    n=$((n + 1))
    printf 'dn: cn=n%s,ou=numbers,%s\nobjectClass: organizationalRole\ncn: n%s\n' $n $base $n | manage ldapadd >/dev/null
    wrote $n
  done
}
slap() { (cd $data && setpriv --reuid openldap --regid openldap --clear-groups slapcat -F $data/config "$@"); }
fixed() {
  slap -n 1 -a "(uid=u*)"
  slap -n 0 | grep olcDbIndex
}
numbers() { slap -b $base | sed -n 's/^dn: cn=n\([0-9]*\),ou=numbers,.*/\1/p' | sort -n; }
works() {
  ldapwhoami -x -H ldap://127.0.0.1:3389 -D uid=u7,ou=people,$base -w word7
  ! ldapwhoami -x -H ldap://127.0.0.1:3389 -D uid=u7,ou=people,$base -w word8 2>/dev/null ||
    { echo "a wrong password logs in"; exit 1; }
  [ "$(ldapsearch -x -LLL -H ldap://127.0.0.1:3389 -b $base sn=33 dn | head -n 1)" = "dn: uid=u33,ou=people,$base" ]
}
