-- The tables beside the log: what is noted of each change, and the chain (store/audit.hpp, store/chain.hpp). They have no
-- number of their own: they are made where they are missing, and a release that does not know them goes on as before.
--
--   audit   what is noted beside a change, by seq; of a change by hand the role and the application of its session
--   chain   a link a change, by seq; the first row is that of no change: the chain begins after it

CREATE TABLE audit (
  seq bigint PRIMARY KEY,
  address text,
  user_agent text,
  reason text,
  role text,
  application text
);
CREATE TABLE chain (
  seq bigint PRIMARY KEY,
  salt bytea CHECK (length(salt) = 16),
  personal bytea NOT NULL CHECK (length(personal) = 32),
  hash bytea NOT NULL CHECK (length(hash) = 32)
);
SELECT FROM log_lock FOR UPDATE;
INSERT INTO chain
  SELECT coalesce(max(seq), 0), NULL, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex') FROM changes;

CREATE INDEX changes_of_key ON changes (key_id, seq) WHERE key_id IS NOT NULL;
CREATE INDEX changes_of_user ON changes (user_id COLLATE "C", seq) WHERE user_id IS NOT NULL;
CREATE INDEX changes_of_signing_key ON changes (kid COLLATE "C", seq) WHERE kid IS NOT NULL;
CREATE INDEX changes_of_plan ON changes (name COLLATE "C", seq) WHERE kind = 'plan';
CREATE INDEX changes_of_user_row ON changes (user_id COLLATE "C", seq) WHERE kind = 'user';
CREATE INDEX changes_by_actor ON changes (actor COLLATE "C", seq);
CREATE INDEX changes_by_time ON changes (at, seq);

-- By whom a row was changed by hand: whoever may change it need not be let write here.
CREATE FUNCTION note_hand_edit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO audit (seq, address, role, application)
    VALUES (NEW.seq, host(inet_client_addr()), session_user, nullif(current_setting('application_name'), ''))
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER by_hand AFTER INSERT ON changes FOR EACH ROW WHEN (NEW.actor = 'unknown')
  EXECUTE FUNCTION note_hand_edit();
ALTER TABLE changes ENABLE ALWAYS TRIGGER by_hand;
