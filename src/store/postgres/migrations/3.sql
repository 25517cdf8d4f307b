-- Plans and users, and keys that refer to them.
--
--   plans                one row a plan: limits under a name
--   users                one row a user id that an admin has made a user; most have none
--   access_keys.plan     the plan that the key names; NULL: that of its user, if any
--   access_keys.limits   the key's own limits besides requests_per_minute; NULL: none. '[]' and no requests_per_minute:
--                        the key needs none
--   changes.kind         'plan' or 'user' where the change is of such a row, else NULL. A plan's name stands in `name`
--
-- `limits` is a JSON array as key/limit_spec.hpp describes it. A deleted plan or user keeps its row, deleted = true, so that
-- its versions go on when the name is used again.
--
-- Replicas of schema 2 go on until the first change that they cannot apply: the trigger then says so in meta.readers.

CREATE TABLE plans (
  name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9-]{1,32}$'),
  description text NOT NULL DEFAULT '' CHECK (octet_length(description) <= 512),
  limits json NOT NULL DEFAULT '[]' CHECK (json_typeof(limits) = 'array' AND octet_length(limits::text) <= 4096),
  metadata json NOT NULL DEFAULT '{}' CHECK (json_typeof(metadata) = 'object' AND octet_length(metadata::text) <= 4096),
  deleted boolean NOT NULL DEFAULT false,
  created_at bigint NOT NULL CHECK (created_at >= 0),
  updated_at bigint NOT NULL CHECK (updated_at >= 0),
  updated_by text NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  command text
);

CREATE TABLE users (
  user_id text COLLATE "C" PRIMARY KEY CHECK (user_id ~ '^[!-~]{1,128}$'),
  plan text COLLATE "C" CHECK (plan ~ '^[a-z0-9-]{1,32}$'),
  limits json NOT NULL DEFAULT '[]' CHECK (json_typeof(limits) = 'array' AND octet_length(limits::text) <= 4096),
  disabled boolean NOT NULL DEFAULT false,
  metadata json NOT NULL DEFAULT '{}' CHECK (json_typeof(metadata) = 'object' AND octet_length(metadata::text) <= 4096),
  deleted boolean NOT NULL DEFAULT false,
  created_at bigint NOT NULL CHECK (created_at >= 0),
  updated_at bigint NOT NULL CHECK (updated_at >= 0),
  updated_by text NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  command text
);
CREATE INDEX users_plan ON users (plan, user_id) WHERE plan IS NOT NULL;

ALTER TABLE access_keys
  ALTER COLUMN requests_per_minute DROP NOT NULL,
  ADD COLUMN plan text COLLATE "C" CHECK (plan ~ '^[a-z0-9-]{1,32}$'),
  ADD COLUMN limits json CHECK (json_typeof(limits) = 'array' AND octet_length(limits::text) <= 4096);
CREATE INDEX access_keys_plan ON access_keys (plan, key_id) WHERE plan IS NOT NULL AND NOT deleted;
-- Keys whose limits are all of their plan and user.
CREATE INDEX access_keys_inheriting ON access_keys (user_id, key_id)
  WHERE NOT deleted AND requests_per_minute IS NULL AND limits IS NULL;

ALTER TABLE changes
  DROP CONSTRAINT changes_check,
  ADD COLUMN kind text, ADD COLUMN plan text, ADD COLUMN limits json, ADD COLUMN description text,
  ADD CONSTRAINT changes_one_row CHECK (num_nonnulls(key_id, kid, kind) = 1);

-- The log holds a change that replicas of schema 2 cannot apply.
CREATE FUNCTION newer_readers_only() RETURNS void LANGUAGE sql VOLATILE SET search_path FROM CURRENT
  AS $$ UPDATE meta SET readers = '3 3' WHERE readers <> '3 3' $$;

CREATE OR REPLACE FUNCTION access_keys_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
      issued_at, previous_issued_at, previous_valid_until, expires_at, disabled, deleted, created_at, plan, limits)
    VALUES (s, random_nonce(), r.updated_at, r.updated_by, r.command, r.key_id, r.user_id, r.role, r.name, r.metadata,
      r.requests_per_minute, r.issued_at, r.previous_issued_at, r.previous_valid_until, r.expires_at, r.disabled,
      r.deleted, r.created_at, r.plan, r.limits);
  IF r.requests_per_minute IS NULL OR r.plan IS NOT NULL OR r.limits IS NOT NULL THEN
    PERFORM newer_readers_only();
  END IF;
  UPDATE access_keys SET version = s, updated_at = r.updated_at, updated_by = r.updated_by, command = NULL
    WHERE key_id = r.key_id AND TG_OP <> 'DELETE';
  PERFORM pg_notify('latchkey_changes', '');
  RETURN NULL;
END $$;

CREATE FUNCTION plans_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  r plans;
  s bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN
    r := OLD;
    r.deleted := true;
    r.command := NULL;
  ELSE
    r := NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.version <> OLD.version AND EXISTS (
      SELECT FROM changes c WHERE c.seq = NEW.version AND c.seq = next_seq() - 1 AND c.kind = 'plan'
        AND c.name = NEW.name) THEN
    RETURN NULL;
  END IF;
  IF r.command IS NULL THEN
    r.updated_by := 'unknown';
    r.updated_at := greatest(now_millis(), OLD.updated_at + 1);
    r.command := CASE
      WHEN TG_OP = 'INSERT' THEN 'plan-create'
      WHEN r.deleted > OLD.deleted OR TG_OP = 'DELETE' THEN 'plan-delete'
      ELSE 'plan-update' END;
  END IF;
  s := next_seq();
  INSERT INTO changes (seq, nonce, at, actor, action, kind, name, description, limits, metadata, deleted, created_at)
    VALUES (s, random_nonce(), r.updated_at, r.updated_by, r.command, 'plan', r.name, r.description, r.limits,
      r.metadata, r.deleted, r.created_at);
  PERFORM newer_readers_only();
  UPDATE plans SET version = s, updated_at = r.updated_at, updated_by = r.updated_by, command = NULL
    WHERE name = r.name AND TG_OP <> 'DELETE';
  PERFORM pg_notify('latchkey_changes', '');
  RETURN NULL;
END $$;

CREATE FUNCTION users_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  r users;
  s bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN
    r := OLD;
    r.deleted := true;
    r.command := NULL;
  ELSE
    r := NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.version <> OLD.version AND EXISTS (
      SELECT FROM changes c WHERE c.seq = NEW.version AND c.seq = next_seq() - 1 AND c.kind = 'user'
        AND c.user_id = NEW.user_id) THEN
    RETURN NULL;
  END IF;
  IF r.command IS NULL THEN
    r.updated_by := 'unknown';
    r.updated_at := greatest(now_millis(), OLD.updated_at + 1);
    r.command := CASE
      WHEN TG_OP = 'INSERT' THEN 'user-create'
      WHEN r.deleted > OLD.deleted OR TG_OP = 'DELETE' THEN 'user-delete'
      WHEN r.disabled > OLD.disabled THEN 'user-disable'
      WHEN r.disabled < OLD.disabled THEN 'user-enable'
      ELSE 'user-update' END;
  END IF;
  s := next_seq();
  INSERT INTO changes (seq, nonce, at, actor, action, kind, user_id, plan, limits, disabled, metadata, deleted,
      created_at)
    VALUES (s, random_nonce(), r.updated_at, r.updated_by, r.command, 'user', r.user_id, r.plan, r.limits, r.disabled,
      r.metadata, r.deleted, r.created_at);
  PERFORM newer_readers_only();
  UPDATE users SET version = s, updated_at = r.updated_at, updated_by = r.updated_by, command = NULL
    WHERE user_id = r.user_id AND TG_OP <> 'DELETE';
  PERFORM pg_notify('latchkey_changes', '');
  RETURN NULL;
END $$;

CREATE TRIGGER queue BEFORE INSERT OR UPDATE OR DELETE ON plans FOR EACH STATEMENT EXECUTE FUNCTION lock_log();
CREATE TRIGGER change AFTER INSERT OR UPDATE OR DELETE ON plans FOR EACH ROW EXECUTE FUNCTION plans_change();
CREATE TRIGGER keep_id BEFORE UPDATE ON plans FOR EACH ROW WHEN (NEW.name <> OLD.name)
  EXECUTE FUNCTION forbid('name cannot change');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON plans EXECUTE FUNCTION forbid('use DELETE: TRUNCATE is not captured');

CREATE TRIGGER queue BEFORE INSERT OR UPDATE OR DELETE ON users FOR EACH STATEMENT EXECUTE FUNCTION lock_log();
CREATE TRIGGER change AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION users_change();
CREATE TRIGGER keep_id BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.user_id <> OLD.user_id)
  EXECUTE FUNCTION forbid('user_id cannot change');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON users EXECUTE FUNCTION forbid('use DELETE: TRUNCATE is not captured');

CREATE OR REPLACE FUNCTION sleeping_triggers() RETURNS TABLE (table_name text, trigger_name text)
  LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT relname::text, tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE tgrelid IN ('access_keys'::regclass, 'signing_keys'::regclass, 'plans'::regclass, 'users'::regclass,
        'changes'::regclass)
      AND tgname IN ('queue', 'change', 'keep_id', 'no_truncate', 'dense', 'stay') AND tgenabled <> 'A'
    ORDER BY 1, 2 $$;

-- Whoever may read keys, as a replica's role does, may read what is in force for them.
DO $$
DECLARE
  g record;
BEGIN
  FOR g IN SELECT DISTINCT grantee::text AS name FROM information_schema.table_privileges
      WHERE table_schema = current_schema() AND table_name = 'access_keys' AND privilege_type = 'SELECT'
        AND grantee <> current_user LOOP
    EXECUTE 'GRANT SELECT ON plans, users TO ' || CASE g.name WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(g.name) END;
  END LOOP;
END $$;

SELECT enable_triggers();
UPDATE meta SET schema_version = 3, readers = '3 2';
