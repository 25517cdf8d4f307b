-- From where and for what a key may be used, and what it is sorted by.
--
--   access_keys.scopes, .networks   the key's own lists; NULL: those of its plan, if any. '[]': none at all
--   plans.scopes, .networks         of all keys of the plan that have no list themselves; NULL: every scope, everywhere
--   access_keys.labels              no decision depends on them; NULL: none
--
-- The lists are JSON arrays of texts as key/scopes.hpp and key/networks.hpp describe them, labels an object as
-- key/labels.hpp does.
--
-- meta.readers goes on to mean what it meant, as a word of this schema. The first change of kind 4 makes it '4 4'.

ALTER TABLE access_keys
  ADD COLUMN scopes json CHECK (json_typeof(scopes) = 'array' AND octet_length(scopes::text) <= 4096),
  ADD COLUMN networks json CHECK (json_typeof(networks) = 'array' AND octet_length(networks::text) <= 4096),
  ADD COLUMN labels json CHECK (json_typeof(labels) = 'object' AND octet_length(labels::text) <= 4096);
CREATE INDEX access_keys_labelled ON access_keys (key_id) WHERE labels IS NOT NULL;
ALTER TABLE plans
  ADD COLUMN scopes json CHECK (json_typeof(scopes) = 'array' AND octet_length(scopes::text) <= 4096),
  ADD COLUMN networks json CHECK (json_typeof(networks) = 'array' AND octet_length(networks::text) <= 4096);
ALTER TABLE changes ADD COLUMN scopes json, ADD COLUMN networks json, ADD COLUMN labels json;

-- The log holds a change of this kind (key/change_kind.hpp).
CREATE FUNCTION only_readers_of(kind integer) RETURNS void LANGUAGE sql VOLATILE SET search_path FROM CURRENT
  AS $$ UPDATE meta SET readers = '4 ' || kind WHERE split_part(readers, ' ', 2)::integer < kind $$;

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
      issued_at, previous_issued_at, previous_valid_until, expires_at, disabled, deleted, created_at, plan, limits,
      scopes, networks, labels)
    VALUES (s, random_nonce(), r.updated_at, r.updated_by, r.command, r.key_id, r.user_id, r.role, r.name, r.metadata,
      r.requests_per_minute, r.issued_at, r.previous_issued_at, r.previous_valid_until, r.expires_at, r.disabled,
      r.deleted, r.created_at, r.plan, r.limits, r.scopes, r.networks, r.labels);
  IF num_nonnulls(r.scopes, r.networks, r.labels) > 0 THEN
    PERFORM only_readers_of(4);
  ELSIF r.requests_per_minute IS NULL OR r.plan IS NOT NULL OR r.limits IS NOT NULL THEN
    PERFORM only_readers_of(3);
  END IF;
  UPDATE access_keys SET version = s, updated_at = r.updated_at, updated_by = r.updated_by, command = NULL
    WHERE key_id = r.key_id AND TG_OP <> 'DELETE';
  PERFORM pg_notify('latchkey_changes', '');
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION plans_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
  INSERT INTO changes (seq, nonce, at, actor, action, kind, name, description, limits, metadata, deleted, created_at,
      scopes, networks)
    VALUES (s, random_nonce(), r.updated_at, r.updated_by, r.command, 'plan', r.name, r.description, r.limits,
      r.metadata, r.deleted, r.created_at, r.scopes, r.networks);
  PERFORM only_readers_of(CASE WHEN num_nonnulls(r.scopes, r.networks) > 0 THEN 4 ELSE 3 END);
  UPDATE plans SET version = s, updated_at = r.updated_at, updated_by = r.updated_by, command = NULL
    WHERE name = r.name AND TG_OP <> 'DELETE';
  PERFORM pg_notify('latchkey_changes', '');
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION users_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
  PERFORM only_readers_of(3);
  UPDATE users SET version = s, updated_at = r.updated_at, updated_by = r.updated_by, command = NULL
    WHERE user_id = r.user_id AND TG_OP <> 'DELETE';
  PERFORM pg_notify('latchkey_changes', '');
  RETURN NULL;
END $$;

DROP FUNCTION newer_readers_only();

UPDATE meta SET schema_version = 4, readers = CASE readers WHEN '3 3' THEN '4 3' ELSE '4 2' END;
