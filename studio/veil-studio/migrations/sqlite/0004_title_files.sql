-- The SHA-256 of a title's rendition files, in hex: a store that gets an object before its hash is known can't note it.
CREATE TABLE title_file (
    title_id TEXT NOT NULL REFERENCES title (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    PRIMARY KEY (title_id, name)
) STRICT;
