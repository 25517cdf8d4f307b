-- Notices of what happens to keys and users, and how far those that make and send them have come (key/notice.hpp).
--
--   notices        about: the expiry in milliseconds or the seq of the change; key_id is '' for a user's
--   notice_end     the last id that was given; rows are removed after a while
--   notice_marks   owner, until: the process that may move the mark

CREATE TABLE notices (
  id bigint PRIMARY KEY,
  kind text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  key_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  about bigint NOT NULL,
  UNIQUE (about, kind, key_id, user_id)
);
CREATE TABLE notice_end (one boolean PRIMARY KEY DEFAULT true CHECK (one), last_id bigint NOT NULL);
INSERT INTO notice_end (last_id) VALUES (0);
CREATE TABLE notice_marks (
  name text COLLATE "C" PRIMARY KEY,
  value bigint NOT NULL,
  owner text NOT NULL,
  until bigint NOT NULL
);

CREATE OR REPLACE FUNCTION only_readers_of(kind integer) RETURNS void LANGUAGE sql VOLATILE SET search_path FROM CURRENT
  AS $$ UPDATE meta SET readers = '6 ' || kind WHERE split_part(readers, ' ', 2)::integer < kind $$;
UPDATE meta SET schema_version = 6, readers = '6' || substr(readers, 2);
