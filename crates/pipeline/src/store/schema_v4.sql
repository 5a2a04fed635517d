-- Version 4 of the state file: which key became which id. Released: it never changes; a change is a new file and a new
-- version.
CREATE TABLE keys (
  pipeline TEXT NOT NULL,
  stream TEXT NOT NULL,
  -- the source's
  key TEXT NOT NULL,
  -- the destination's; null while it is not known whether it was made
  id TEXT,
  PRIMARY KEY (pipeline, stream, key)
) STRICT, WITHOUT ROWID;
