-- Version 1 of what we keep in a destination file beside the tables of the streams. Released: it never changes.
CREATE TABLE _spoke_checkpoints (
  pipeline TEXT NOT NULL PRIMARY KEY,
  sequence INTEGER NOT NULL,
  -- the source's bytes; opaque here
  position BLOB NOT NULL,
  saved_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which column a field has: decided once and for ever.
CREATE TABLE _spoke_columns (
  stream TEXT NOT NULL,
  field TEXT NOT NULL,
  "column" TEXT NOT NULL,
  type TEXT NOT NULL,
  PRIMARY KEY (stream, field)
) STRICT, WITHOUT ROWID;
