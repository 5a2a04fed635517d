-- Version 1 of the state file. Released: it never changes; a change is a new file and a new version.
CREATE TABLE checkpoints (
  pipeline TEXT NOT NULL PRIMARY KEY,
  sequence INTEGER NOT NULL,
  -- the source's bytes; opaque here
  position BLOB NOT NULL,
  saved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pipeline TEXT NOT NULL,
  stream TEXT NOT NULL,
  -- the key as canonical JSON: one letter a record
  identity TEXT NOT NULL,
  operation TEXT NOT NULL,
  -- text where the bytes are text
  key ANY NOT NULL,
  before ANY,
  after ANY,
  metadata TEXT NOT NULL,
  reason TEXT NOT NULL,
  refused_at TEXT NOT NULL,
  UNIQUE (pipeline, stream, identity)
) STRICT;
CREATE INDEX dead_letters_by_pipeline ON dead_letters (pipeline, id);

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL,
  received_at TEXT NOT NULL
) STRICT;
