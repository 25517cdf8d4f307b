-- Schema 1: the tables of the PostgreSQL engine, in the connection's own schema, readable and editable in psql. It stays as
-- it is: what comes after it stands in the files beside it, each the step from the schema before.
--
--   access_keys   one row a key; `version` is the seq of the change that made the row so
--   signing_keys  one row a signing key
--   changes       append-only: every change of those two, by trigger, in the same transaction, with the full new row
--   log_lock      one row: whoever appends to changes holds its lock until the commit, so seq, one more than the last,
--                 is dense and in commit order (a sequence is neither). Counting in the row itself would leave a version
--                 of it for every row that one statement changes, and take time in their square
--   idempotency   what idempotent commands answered
--   heartbeat     one row: when a management service last committed, by the primary's clock: how current a standby is
--   replicas      one row a replica, its newest report; replicas and relays write it (replica/replica_registry.hpp)
--   registry      one row: the life of the server in which nobody can be missing from `replicas`
--   meta          one row: the schema's version, and `origin`, random, which is part of the epoch
--
-- How a trigger tells a command from a hand edit: a command's statement also sets the column `command` to its action,
-- and the trigger takes it back to NULL at once. A statement that leaves it NULL was typed by hand; the trigger then
-- finds the action by comparing the rows, names the actor "unknown" and moves `updated_at` forward itself.
-- In `changes`, `at` and `actor` are the row's updated_at and updated_by; `kid` is NULL for access keys and `key_id`
-- for signing keys. `nonce` is random: where two histories have the same seq, it tells them apart.
-- Times are milliseconds since 1970, but issued_at and previous_issued_at, which are a token's iat, seconds.

CREATE TABLE meta (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  schema_version integer NOT NULL,
  origin bigint NOT NULL
);

CREATE TABLE log_lock (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  timeline bigint NOT NULL  -- on which the last change was made
) WITH (fillfactor = 10);

CREATE TABLE heartbeat (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  at bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE replicas (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  number bigint NOT NULL,
  stopped boolean NOT NULL,
  applied text,
  applied_nonce bigint NOT NULL,
  view_age_ms bigint NOT NULL,
  max_staleness_ms bigint NOT NULL,
  started_at bigint NOT NULL,
  reported_at bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE registry (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  whole_in text NOT NULL
);

CREATE TABLE access_keys (
  key_id uuid PRIMARY KEY CHECK (key_id::text ~ '^.{14}7.{4}[89ab]'),
  user_id text COLLATE "C" NOT NULL CHECK (user_id ~ '^[!-~]{1,128}$'),
  role text NOT NULL DEFAULT 'user' CHECK (role = 'user'),
  name text NOT NULL DEFAULT '' CHECK (octet_length(name) <= 128),
  metadata json NOT NULL DEFAULT '{}' CHECK (json_typeof(metadata) = 'object' AND octet_length(metadata::text) <= 4096),
  requests_per_minute integer NOT NULL CHECK (requests_per_minute BETWEEN 1 AND 1000000),
  issued_at bigint NOT NULL CHECK (issued_at >= 0),
  previous_issued_at bigint CHECK (previous_issued_at >= 0),
  previous_valid_until bigint CHECK (previous_valid_until >= 0),
  expires_at bigint CHECK (expires_at >= 0),  -- NULL: never
  disabled boolean NOT NULL DEFAULT false,
  deleted boolean NOT NULL DEFAULT false,
  created_at bigint NOT NULL CHECK (created_at >= 0),
  updated_at bigint NOT NULL CHECK (updated_at >= 0),
  updated_by text NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  command text,
  CHECK ((previous_issued_at IS NULL) = (previous_valid_until IS NULL))
);
CREATE INDEX access_keys_user ON access_keys (user_id, key_id);
CREATE INDEX access_keys_live ON access_keys (key_id, expires_at) WHERE NOT deleted AND NOT disabled;
CREATE INDEX access_keys_disabled ON access_keys (key_id) WHERE NOT deleted AND disabled;
CREATE INDEX access_keys_deleted ON access_keys (key_id) WHERE deleted;
CREATE INDEX access_keys_named ON access_keys (key_id, name) WHERE name <> '';

CREATE TABLE signing_keys (
  kid text COLLATE "C" PRIMARY KEY CHECK (length(kid) BETWEEN 1 AND 128),
  public_key bytea NOT NULL CHECK (length(public_key) = 32),
  state text NOT NULL CHECK (state IN ('signing', 'verifying', 'retired')),
  created_at bigint NOT NULL CHECK (created_at >= 0),
  updated_at bigint NOT NULL CHECK (updated_at >= 0),
  updated_by text NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  command text
);

CREATE TABLE changes (
  seq bigint PRIMARY KEY,
  nonce bigint NOT NULL,
  at bigint NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  key_id uuid, user_id text, role text, name text, metadata json, requests_per_minute integer, issued_at bigint,
  previous_issued_at bigint, previous_valid_until bigint, expires_at bigint, disabled boolean, deleted boolean,
  created_at bigint NOT NULL,
  kid text, public_key bytea, state text,
  CHECK ((key_id IS NULL) <> (kid IS NULL))
);

CREATE TABLE idempotency (
  actor text NOT NULL,
  idempotency_key text NOT NULL,
  request_digest bytea NOT NULL,
  key_id uuid NOT NULL,
  seq bigint NOT NULL,
  kid text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (actor, idempotency_key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE FUNCTION now_millis() RETURNS bigint LANGUAGE sql VOLATILE
  AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- Of a primary only: the first eight digits of the WAL file it writes. What the control file says may be a checkpoint old.
CREATE FUNCTION current_timeline() RETURNS bigint LANGUAGE sql VOLATILE
  AS $$ SELECT ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint $$;

-- Another after whatever may have lost rows of `replicas`: a restart, a failover, a restored backup or dump, a TRUNCATE.
CREATE FUNCTION registry_life() RETURNS text LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
  SELECT concat_ws(' ', system_identifier, current_timeline(), extract(epoch FROM pg_postmaster_start_time()),
    'replicas'::regclass::oid, pg_relation_filenode('replicas')) FROM pg_control_system() $$;

CREATE FUNCTION random_nonce() RETURNS bigint LANGUAGE sql VOLATILE
  AS $$ SELECT hashtextextended(gen_random_uuid()::text, 0) $$;

-- The lock on log_lock is held.
CREATE FUNCTION next_seq() RETURNS bigint LANGUAGE sql VOLATILE SET search_path FROM CURRENT
  AS $$ SELECT coalesce(max(seq), 0) + 1 FROM changes $$;

-- Before any row is locked: all writers queue here, so that a hand edit and a command cannot each hold what
-- the other waits for.
CREATE FUNCTION lock_log() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM log_lock FOR UPDATE;
  UPDATE log_lock SET timeline = current_timeline() WHERE timeline <> current_timeline();
  RETURN NULL;
END $$;

CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION changes_follow() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.seq <> next_seq() THEN
    RAISE EXCEPTION 'changes is dense' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION access_keys_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  r access_keys;
  s bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN
    r := OLD;
    r.deleted := true;
    r.command := NULL;
  ELSE
    r := NEW;
  END IF;
  -- The update at the end of this function, and no other, moves `version` to the log's last seq, of this very row.
  IF TG_OP = 'UPDATE' AND NEW.version <> OLD.version AND EXISTS (
      SELECT FROM changes c WHERE c.seq = NEW.version AND c.seq = next_seq() - 1 AND c.key_id = NEW.key_id) THEN
    RETURN NULL;
  END IF;
  IF r.command IS NULL THEN
    r.updated_by := 'unknown';
    r.updated_at := greatest(now_millis(), OLD.updated_at + 1);
    r.command := CASE
      WHEN TG_OP = 'INSERT' THEN 'create'
      WHEN r.deleted > OLD.deleted OR TG_OP = 'DELETE' THEN 'delete'
      WHEN r.disabled > OLD.disabled THEN 'disable'
      WHEN r.disabled < OLD.disabled THEN 'enable'
      WHEN r.issued_at <> OLD.issued_at THEN 'rotate'
      ELSE 'update' END;
  END IF;
  s := next_seq();
  INSERT INTO changes (seq, nonce, at, actor, action, key_id, user_id, role, name, metadata, requests_per_minute,
      issued_at, previous_issued_at, previous_valid_until, expires_at, disabled, deleted, created_at)
    VALUES (s, random_nonce(), r.updated_at, r.updated_by, r.command, r.key_id, r.user_id, r.role, r.name, r.metadata,
      r.requests_per_minute, r.issued_at, r.previous_issued_at, r.previous_valid_until, r.expires_at, r.disabled,
      r.deleted, r.created_at);
  UPDATE access_keys SET version = s, updated_at = r.updated_at, updated_by = r.updated_by, command = NULL
    WHERE key_id = r.key_id AND TG_OP <> 'DELETE';
  PERFORM pg_notify('latchkey_changes', '');
  RETURN NULL;
END $$;

CREATE FUNCTION signing_keys_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  r signing_keys;
  s bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN
    r := OLD;
    r.state := 'retired';  -- without its row nobody may trust the key any longer
    r.command := NULL;
  ELSE
    r := NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.version <> OLD.version AND EXISTS (
      SELECT FROM changes c WHERE c.seq = NEW.version AND c.seq = next_seq() - 1 AND c.kid = NEW.kid) THEN
    RETURN NULL;
  END IF;
  IF r.command IS NULL THEN
    r.updated_by := 'unknown';
    r.updated_at := greatest(now_millis(), OLD.updated_at + 1);
  END IF;
  s := next_seq();
  INSERT INTO changes (seq, nonce, at, actor, action, kid, public_key, state, created_at)
    VALUES (s, random_nonce(), r.updated_at, r.updated_by, 'signing-key', r.kid, r.public_key, r.state, r.created_at);
  UPDATE signing_keys SET version = s, updated_at = r.updated_at, updated_by = r.updated_by, command = NULL
    WHERE kid = r.kid AND TG_OP <> 'DELETE';
  PERFORM pg_notify('latchkey_changes', '');
  RETURN NULL;
END $$;

CREATE TRIGGER queue BEFORE INSERT OR UPDATE OR DELETE ON access_keys
  FOR EACH STATEMENT EXECUTE FUNCTION lock_log();
CREATE TRIGGER change AFTER INSERT OR UPDATE OR DELETE ON access_keys
  FOR EACH ROW EXECUTE FUNCTION access_keys_change();
CREATE TRIGGER keep_id BEFORE UPDATE ON access_keys FOR EACH ROW WHEN (NEW.key_id <> OLD.key_id)
  EXECUTE FUNCTION forbid('key_id cannot change');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON access_keys EXECUTE FUNCTION forbid('use DELETE: TRUNCATE is not captured');

CREATE TRIGGER queue BEFORE INSERT OR UPDATE OR DELETE ON signing_keys
  FOR EACH STATEMENT EXECUTE FUNCTION lock_log();
CREATE TRIGGER change AFTER INSERT OR UPDATE OR DELETE ON signing_keys
  FOR EACH ROW EXECUTE FUNCTION signing_keys_change();
CREATE TRIGGER keep_id BEFORE UPDATE ON signing_keys FOR EACH ROW WHEN (NEW.kid <> OLD.kid)
  EXECUTE FUNCTION forbid('kid cannot change');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON signing_keys EXECUTE FUNCTION forbid('use DELETE: TRUNCATE is not captured');

CREATE TRIGGER queue BEFORE INSERT ON changes FOR EACH STATEMENT EXECUTE FUNCTION lock_log();
CREATE TRIGGER dense BEFORE INSERT ON changes FOR EACH ROW EXECUTE FUNCTION changes_follow();
CREATE TRIGGER stay BEFORE UPDATE OR DELETE OR TRUNCATE ON changes EXECUTE FUNCTION forbid('changes is append-only');

INSERT INTO meta (schema_version, origin) VALUES (1, random_nonce());
INSERT INTO log_lock (timeline) VALUES (current_timeline());
INSERT INTO heartbeat (at) VALUES (now_millis());
INSERT INTO registry (whole_in) VALUES (registry_life());
