-- Version 2 of the state file: what sources remember besides their positions, and a picture of each run.

-- Not WITHOUT ROWID: a value is some kilobytes, and such a table would keep values between its keys.
CREATE TABLE notes (
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  -- the source's bytes; opaque here
  value BLOB NOT NULL,
  PRIMARY KEY (pipeline, key)
) STRICT;

CREATE TABLE status (
  pipeline TEXT NOT NULL PRIMARY KEY,
  -- for `spoke status`; a newer program may write other fields
  json TEXT NOT NULL,
  written_at TEXT NOT NULL
) STRICT;
