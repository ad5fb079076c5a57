-- 5: films: a plan of shots, which are ordinary tasks, and the file that they are joined to.

ALTER TABLE tasks ADD COLUMN film_id TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN shot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN after TEXT NOT NULL DEFAULT '';
CREATE INDEX tasks_of_film ON tasks (film_id, shot, take) WHERE film_id != '';

CREATE TABLE films (
    film_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    provider TEXT NOT NULL,
    caller TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    identity TEXT NOT NULL,
    request_key TEXT NOT NULL,
    shots TEXT NOT NULL,
    transition TEXT NOT NULL,
    unit TEXT NOT NULL,
    made_at REAL,
    revision INTEGER NOT NULL,
    redo TEXT NOT NULL,
    redone TEXT NOT NULL,
    owner TEXT NOT NULL,
    lease_until REAL NOT NULL,
    due_at REAL NOT NULL,
    tries INTEGER NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER,
    sha256 TEXT NOT NULL,
    width INTEGER,
    height INTEGER,
    seconds REAL,
    save_error TEXT NOT NULL,
    cancelled INTEGER NOT NULL,
    traceparent TEXT NOT NULL
);
CREATE INDEX films_identity ON films (account, identity, created_at);
CREATE INDEX films_request_key ON films (account, caller, request_key) WHERE request_key != '';
CREATE INDEX films_due ON films (account, due_at) WHERE due_at > 0;
CREATE INDEX films_leased ON films (owner) WHERE owner != '';
CREATE INDEX films_created ON films (caller, created_at);
