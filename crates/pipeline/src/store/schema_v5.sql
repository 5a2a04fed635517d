-- Version 5 of the state file: records that wait for another one to be written. Released: it never changes; a change is a
-- new file and a new version.
CREATE TABLE parked (
  id INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL,
  -- the record that is waited for
  stream TEXT NOT NULL,
  key TEXT NOT NULL,
  -- the record that waits, and what it is known by
  waiting_stream TEXT NOT NULL,
  waiting_key TEXT NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (pipeline, waiting_stream, waiting_key)
) STRICT;
CREATE INDEX parked_by_key ON parked (pipeline, stream, key);
