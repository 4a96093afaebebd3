# psql: one behaviour a run, told in lines of JSON. `sh psql.sh BEHAVIOUR URL-PARAMETERS`
set -eu
url="$DATABASE_URL?$2"
ask() { psql "$url" -XAtq -v VERBOSITY=verbose "$@"; }

tls() {
  ask -c "SELECT json_build_object('ssl', ssl, 'address', host(inet_server_addr())) FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
}

# psql, where a shell of its own started it; else that is psql.
child_of() {
  for status in /proc/[0-9]*/status; do
    if grep -qsx "PPid:	$1" "$status"; then basename "$(dirname "$status")" && return; fi
  done
  echo "$1"
}

# Ctrl-C: the interrupt comes to psql, which asks the server to cancel.
cancel() {
  { ask -c "SELECT pg_backend_pid()" -c "SELECT pg_sleep(60)" -c "SELECT pg_backend_pid()" 2>&1 || true; } > told &
  until [ "$(ask -c "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(60)'")" != "" ]; do :; done
  kill -INT "$(child_of $!)"
  wait $!
  same=false
  [ "$(head -n 1 told)" = "$(tail -n 1 told)" ] && same=true
  echo "{\"code\":\"$(sed -n 's/^ERROR:  \([0-9A-Z]*\):.*/\1/p' told)\",\"same\":$same}"
}

copy() {
  seq 10000 | sed 's/.*/&\tword \\t ü &/' > lines
  ask -c "CREATE TABLE copied_psql (id int, word text)" -c "\\copy copied_psql FROM 'lines'" \
    -c "\\copy (SELECT * FROM copied_psql ORDER BY id) TO 'out'"
  cmp lines out
  echo '{"same":true}'
}

# psql tells what it heard after its next command.
listen() {
  heard=$(ask -c "LISTEN perch" -c "NOTIFY perch, 'ü'" -c "SELECT pg_backend_pid()")
  pid=$(echo "$heard" | grep -x '[0-9]*')
  sender=false
  echo "$heard" | grep -q "PID $pid" && sender=true
  echo "{\"payload\":\"$(echo "$heard" | sed -n 's/.*payload "\(.*\)" received.*/\1/p')\",\"sender\":$sender}"
}

prepared() {
  told=$(ask -c "PREPARE add (int) AS SELECT \$1 + 1" -c "EXECUTE add(1)" -c "EXECUTE add(2)" -c "EXECUTE add(3)" \
    -c "SELECT generic_plans + custom_plans FROM pg_prepared_statements" | paste -sd ' ')
  echo "$told" | sed 's/\(.*\) \(.*\) \(.*\) \(.*\)/{"sums":[\1,\2,\3],"runs":\4}/'
}

large() {
  echo "{\"bytes\":$(ask -c "SELECT repeat('x', 1024) FROM generate_series(1, 51200)" | tr -d '\n' | wc -c)}"
}

refused() {
  ask -c "SELECT 1" 2> said && { echo '"connected"'; return; }
  echo "{\"message\":\"$(tr '\n\t' '  ' < said | sed 's/["\\]/\\&/g')\"}"
}

"$1"
