#!/usr/bin/env bash
# PostgreSQL 15: `pg_restore --data-only --disable-triggers` turns triggers that were ENABLE ALWAYS into ordinary ones.
#
# One would think: what the restore switches off it switches back on as it was.
# Seen: it ends each table with ALTER TABLE … ENABLE TRIGGER ALL, which sets every trigger to "origin" (tgenabled O). A trigger that
# was to fire under session_replication_role = replica as well no longer does. Nothing says so.
# What follows: an audit trigger is put back to ENABLE ALWAYS after such a restore, and the service looks at the catalog now and then.
set -euo pipefail
bin=/usr/lib/postgresql/15/bin
[ -x "$bin/initdb" ] && [ "$(id -u)" = 0 ] && command -v runuser >/dev/null || exit 77
dir=$(mktemp -d); trap 'runuser -u nobody -- "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
cd "$dir"; chmod 755 .; chown nobody .
as() { runuser -u nobody -- "$@"; }
as "$bin/initdb" -D data -U app -A trust >/dev/null
as "$bin/pg_ctl" -D data -w -l log -o "-h '' -k $dir" start >/dev/null
sql() { as "$bin/psql" -h "$dir" -U app -XqAt "$@"; }
sql postgres <<'SQL'
CREATE TABLE keys (id int);
CREATE TABLE log (id int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER note AFTER INSERT ON keys FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE keys ENABLE ALWAYS TRIGGER note;
INSERT INTO keys VALUES (1);
SQL
as "$bin/pg_dump" -h "$dir" -U app -Fc -f all.dump postgres
state() { sql "$1" -c "SELECT tgenabled FROM pg_trigger WHERE tgname = 'note'"; }
bypassed() { sql "$1" -c "BEGIN; SET LOCAL session_replication_role = replica; INSERT INTO keys VALUES (2); COMMIT; SELECT count(*) FROM log WHERE id = 2"; }
sql postgres -c "CREATE DATABASE other" >/dev/null
as "$bin/pg_restore" -h "$dir" -U app -d other --schema-only all.dump
{
  "$bin/postgres" --version | grep -oE 'PostgreSQL\) 15'
  echo "after the schema: tgenabled $(state other)"
  as "$bin/pg_restore" -h "$dir" -U app -d other --data-only --disable-triggers all.dump
  echo "after the data: tgenabled $(state other)"
  echo "rows noted under session_replication_role = replica: $(bypassed postgres) before, $(bypassed other) after"
} | tee out
cat > expected <<'T'
PostgreSQL) 15
after the schema: tgenabled A
after the data: tgenabled O
rows noted under session_replication_role = replica: 1 before, 0 after
T
diff expected out
