-- What became of the files of watched folders: a medium, or nothing, and why. A file that was changed since is another one.
CREATE TABLE watched (
    path        TEXT PRIMARY KEY NOT NULL,
    bytes       INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    medium      TEXT,
    error       TEXT,
    at          TEXT NOT NULL
) STRICT;
