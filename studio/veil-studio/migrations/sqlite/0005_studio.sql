-- What a person wrote on a share.
ALTER TABLE viewer_grant ADD COLUMN label TEXT NOT NULL DEFAULT '';

CREATE INDEX title_age ON title (created_at, id);

-- Documents that somebody edits. `revision` counts changes; a change names the one that it was made on.
CREATE TABLE production (
    id         TEXT PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL,
    document   TEXT NOT NULL,
    scenes     INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    revision   INTEGER NOT NULL
) STRICT;

CREATE INDEX production_age ON production (created_at, id);

-- The library's files, which lie in `media/<id>` of the data folder; `hash` is the BLAKE3 of the content in hex.
CREATE TABLE media (
    id            TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL,
    search        TEXT NOT NULL,
    bytes         INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('video', 'audio', 'image')),
    duration_us   INTEGER NOT NULL,
    width         INTEGER NOT NULL,
    height        INTEGER NOT NULL,
    codec         TEXT NOT NULL,
    media_type    TEXT NOT NULL,
    added_at      TEXT NOT NULL,
    hash          TEXT NOT NULL UNIQUE,
    has_thumbnail INTEGER NOT NULL,
    has_waveform  INTEGER NOT NULL
) STRICT;

CREATE INDEX media_age ON media (added_at, id);

-- What was shared, taken back, and done to keys. Each entry's hash covers the one before it (`catalogue::audit`).
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY NOT NULL,
    at      TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    hash    TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
