-- Version 2 of what we keep in a destination file: what the source remembers besides its position.
-- Not WITHOUT ROWID: a value is some kilobytes, and such a table would keep values between its keys.
CREATE TABLE _spoke_notes (
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  -- the source's bytes; opaque here
  value BLOB NOT NULL,
  PRIMARY KEY (pipeline, key)
) STRICT;
