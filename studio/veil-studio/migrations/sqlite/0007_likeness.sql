-- What marked titles look like from afar, so that a leak of one finds it (`trace::likeness`). Nothing in it can be watched.
CREATE TABLE likeness (
    title_id TEXT PRIMARY KEY NOT NULL REFERENCES title (id) ON DELETE CASCADE,
    steps    INTEGER NOT NULL,
    data     BLOB NOT NULL
) STRICT;
