-- What databases say of who may use them, and triggers that nothing passes by.
--
--   meta.readers           store/schema_version.hpp
--   meta.home              which database a management service has written to last: a logical subscriber or a restored
--                          dump has the rows of another, and its own home() differs
--   replicas.understands   the newest kind of change that the replica knows
--
-- A trigger is ENABLE ALWAYS, so that session_replication_role = replica does not pass it by. What disables triggers
-- (pg_restore --disable-triggers, ALTER TABLE … DISABLE TRIGGER) leaves them disabled, or enabled as any other:
-- enable_triggers() makes them what they were, and is for operators too.
--
-- A table `replicas` that VACUUM FULL or CLUSTER rewrote has lost nobody; one that was emptied has, and says so itself:
-- the life in which it is whole is none. A management service that takes a replica out whose absence means nothing sets
-- latchkey.forget for its transaction.

ALTER TABLE meta ADD COLUMN readers text NOT NULL DEFAULT '', ADD COLUMN home text NOT NULL DEFAULT '';
ALTER TABLE replicas ADD COLUMN understands integer NOT NULL DEFAULT 1;

CREATE FUNCTION home() RETURNS text LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
  SELECT concat_ws(' ', system_identifier, 'changes'::regclass::oid) FROM pg_control_system() $$;

-- Of the tables whose changes must not go unrecorded: those that are not ENABLE ALWAYS.
CREATE FUNCTION sleeping_triggers() RETURNS TABLE (table_name text, trigger_name text)
  LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT relname::text, tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE tgrelid IN ('access_keys'::regclass, 'signing_keys'::regclass, 'changes'::regclass)
      AND tgname IN ('queue', 'change', 'keep_id', 'no_truncate', 'dense', 'stay') AND tgenabled <> 'A'
    ORDER BY 1, 2 $$;

CREATE FUNCTION enable_triggers() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT * FROM sleeping_triggers() LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', t.table_name, t.trigger_name);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION registry_life() RETURNS text LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
  SELECT concat_ws(' ', system_identifier, current_timeline(), extract(epoch FROM pg_postmaster_start_time()),
    'replicas'::regclass::oid) FROM pg_control_system() $$;

-- With its owner's rights: who may only TRUNCATE or DELETE must not fail here.
CREATE FUNCTION lose_replicas() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF current_setting('latchkey.forget', true) IS DISTINCT FROM 'on' THEN
    UPDATE registry SET whole_in = '';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER lose AFTER DELETE OR TRUNCATE ON replicas FOR EACH STATEMENT EXECUTE FUNCTION lose_replicas();
ALTER TABLE replicas ENABLE ALWAYS TRIGGER lose;

-- A management service of schema 1 that runs beside this one names the life in the old way, and so do all rows it wrote.
UPDATE registry SET whole_in = registry_life()
  WHERE whole_in = registry_life() || ' ' || pg_relation_filenode('replicas');

SELECT enable_triggers();
UPDATE meta SET schema_version = 2, readers = '2 1', home = home();
