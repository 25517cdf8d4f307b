-- User ids in any script, rows that are deleted and go, and what an erasure may change in the log.
--
-- A row that is deleted already is in every view as such: what removes it (`latchkey key purge`) is no change of its own.
-- In `changes` only the program's erasure may put a pseudonym in place of a person, in the transaction that sets
-- latchkey.erasing, and it can change nothing but what names the person.

ALTER TABLE access_keys DROP CONSTRAINT access_keys_user_id_check,
  ADD CONSTRAINT access_keys_user_id_check CHECK (octet_length(user_id) BETWEEN 1 AND 128);
ALTER TABLE users DROP CONSTRAINT users_user_id_check,
  ADD CONSTRAINT users_user_id_check CHECK (octet_length(user_id) BETWEEN 1 AND 128);

CREATE OR REPLACE FUNCTION only_readers_of(kind integer) RETURNS void LANGUAGE sql VOLATILE SET search_path FROM CURRENT
  AS $$ UPDATE meta SET readers = '5 ' || kind WHERE split_part(readers, ' ', 2)::integer < kind $$;

DROP TRIGGER change ON access_keys;
CREATE TRIGGER change AFTER INSERT OR UPDATE ON access_keys FOR EACH ROW EXECUTE FUNCTION access_keys_change();
CREATE TRIGGER change_of_removed AFTER DELETE ON access_keys FOR EACH ROW WHEN (NOT OLD.deleted)
  EXECUTE FUNCTION access_keys_change();
DROP TRIGGER change ON plans;
CREATE TRIGGER change AFTER INSERT OR UPDATE ON plans FOR EACH ROW EXECUTE FUNCTION plans_change();
CREATE TRIGGER change_of_removed AFTER DELETE ON plans FOR EACH ROW WHEN (NOT OLD.deleted)
  EXECUTE FUNCTION plans_change();
DROP TRIGGER change ON users;
CREATE TRIGGER change AFTER INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION users_change();
CREATE TRIGGER change_of_removed AFTER DELETE ON users FOR EACH ROW WHEN (NOT OLD.deleted)
  EXECUTE FUNCTION users_change();

CREATE FUNCTION changes_stay() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  personal CONSTANT text[] := '{user_id,name,metadata,actor}';
BEGIN
  IF current_setting('latchkey.erasing', true) IS DISTINCT FROM 'on'
      OR to_jsonb(NEW) - personal <> to_jsonb(OLD) - personal THEN
    RAISE EXCEPTION 'changes is append-only' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

DROP TRIGGER stay ON changes;
CREATE TRIGGER stay BEFORE DELETE OR TRUNCATE ON changes EXECUTE FUNCTION forbid('changes is append-only');
CREATE TRIGGER stay_but_erased BEFORE UPDATE ON changes FOR EACH ROW EXECUTE FUNCTION changes_stay();

CREATE OR REPLACE FUNCTION sleeping_triggers() RETURNS TABLE (table_name text, trigger_name text)
  LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT relname::text, tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE tgrelid IN ('access_keys'::regclass, 'signing_keys'::regclass, 'plans'::regclass, 'users'::regclass,
        'changes'::regclass)
      AND tgname IN ('queue', 'change', 'change_of_removed', 'keep_id', 'no_truncate', 'dense', 'stay',
        'stay_but_erased') AND tgenabled <> 'A'
    ORDER BY 1, 2 $$;

SELECT enable_triggers();
UPDATE meta SET schema_version = 5, readers = '5' || substr(readers, 2);
