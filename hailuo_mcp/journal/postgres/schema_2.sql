-- 2: films: a plan of shots, which are ordinary tasks, and the file that they are joined to.

ALTER TABLE tasks ADD COLUMN film_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN shot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN after TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX tasks_of_film ON tasks (film_id, shot, take) WHERE film_id != '';

CREATE TABLE films (
    film_id TEXT COLLATE "C" PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL,
    identity TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    shots TEXT NOT NULL,
    transition TEXT NOT NULL,
    unit TEXT NOT NULL,
    made_at DOUBLE PRECISION,
    revision INTEGER NOT NULL,
    redo TEXT NOT NULL,
    redone TEXT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    lease_until DOUBLE PRECISION NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    tries INTEGER NOT NULL,
    file TEXT NOT NULL,
    bytes BIGINT,
    sha256 TEXT NOT NULL,
    width INTEGER,
    height INTEGER,
    seconds DOUBLE PRECISION,
    save_error TEXT NOT NULL,
    cancelled BOOLEAN NOT NULL,
    traceparent TEXT NOT NULL
);
CREATE INDEX films_identity ON films (account, identity, created_at);
CREATE INDEX films_request_key ON films (account, caller, request_key) WHERE request_key != '';
CREATE INDEX films_due ON films (account, due_at) WHERE due_at > 0;
CREATE INDEX films_leased ON films (owner) WHERE owner != '';
CREATE INDEX films_created ON films (caller, created_at);
