-- The truth about jobs. A secret in `spec` is sealed to the studio's identity. Times are milliseconds since 1970.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    client TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'paused', 'cancelling', 'done', 'failed', 'cancelled')),
    pause_wanted INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    created_ms INTEGER NOT NULL,
    started_ms INTEGER,
    ended_ms INTEGER,
    progress TEXT,
    error TEXT,
    commands TEXT NOT NULL DEFAULT '[]',
    outputs TEXT NOT NULL DEFAULT '[]',
    production TEXT,
    title TEXT
) STRICT;

CREATE INDEX job_next ON job (state, priority DESC, id);
CREATE INDEX job_client ON job (client, kind, created_ms);

-- What a job has behind it, so that nothing is done twice.
CREATE TABLE step (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    done_ms INTEGER,
    PRIMARY KEY (job_id, name)
) STRICT;

CREATE TABLE attempt (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    owner TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    outcome TEXT,
    error TEXT,
    PRIMARY KEY (job_id, number)
) STRICT;

-- What changed: a job, or the queue where `job_id` is null.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
