-- Marked titles. `sealed_keys` holds the mark key and the tracing key, sealed to the studio's identity.
CREATE TABLE marks (
    title_id    TEXT PRIMARY KEY NOT NULL,
    strength    TEXT NOT NULL CHECK (strength IN ('standard', 'strong')),
    slot_us     INTEGER NOT NULL,
    slot_count  INTEGER NOT NULL,
    sealed_keys BLOB NOT NULL
) STRICT;

ALTER TABLE title ADD COLUMN marked INTEGER NOT NULL DEFAULT 0;

-- The object with a viewer's slot keys, in the folder of a marked title. Grants of marked titles stay when their records are gone
-- (`swept`), or nobody could be named any more.
ALTER TABLE viewer_grant ADD COLUMN list_name TEXT;
ALTER TABLE viewer_grant ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;
