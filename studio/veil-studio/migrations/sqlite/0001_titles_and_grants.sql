-- Titles and the grants made for them. Times are RFC 3339 in UTC with whole seconds; ids are 32 hex digits.
CREATE TABLE title (
    id           TEXT PRIMARY KEY NOT NULL,
    name         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('importing', 'ready', 'removing')),
    epoch        INTEGER NOT NULL,
    sealed_key   BLOB NOT NULL,
    created_at   TEXT NOT NULL,
    duration_us  INTEGER NOT NULL DEFAULT 0,
    width        INTEGER NOT NULL DEFAULT 0,
    height       INTEGER NOT NULL DEFAULT 0,
    object_count INTEGER NOT NULL DEFAULT 0,
    sealed_bytes INTEGER NOT NULL DEFAULT 0,
    has_poster   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX title_name ON title (name) WHERE state <> 'removing';

-- No foreign key: a grant outlives its title until it is swept, so that its holder is told that it was revoked.
CREATE TABLE viewer_grant (
    id         TEXT PRIMARY KEY NOT NULL,
    title_id   TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('link', 'recipient')),
    recipient  TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT
) STRICT;

CREATE INDEX viewer_grant_title ON viewer_grant (title_id);
