-- Version 3 of the state file: budgets. Released: it never changes; a change is a new file and a new version.
CREATE TABLE budgets (
  name TEXT NOT NULL PRIMARY KEY,
  -- such as a date; another period begins at zero
  period TEXT NOT NULL,
  used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
