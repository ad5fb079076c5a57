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
    traceparent TEXT NOT NULL,
    moved INTEGER NOT NULL DEFAULT 0,
    seal TEXT NOT NULL
);
CREATE INDEX films_identity ON films (account, identity, created_at);
CREATE INDEX films_request_key ON films (account, caller, request_key, created_at)
    WHERE request_key != '';
CREATE INDEX films_due ON films (account, due_at) WHERE due_at > 0;
CREATE INDEX films_leased ON films (owner) WHERE owner != '';
CREATE INDEX films_made ON films (created_at, film_id) WHERE made_at IS NOT NULL;
CREATE INDEX films_made_by_caller ON films (caller, created_at, film_id) WHERE made_at IS NOT NULL;
CREATE INDEX films_planned ON films (created_at, film_id) WHERE made_at IS NULL;
CREATE INDEX films_planned_by_caller ON films (caller, created_at, film_id) WHERE made_at IS NULL;
CREATE INDEX films_updated ON films (updated_at);

-- A shot that ends, becomes unconfirmed, is saved or is given up makes its film due, whoever writes
-- it, an older program too. `moved`: it did while a process worked on the film, and may have been
-- overlooked.
CREATE TRIGGER shots_moved AFTER UPDATE OF status, file, due_at ON tasks
    WHEN NEW.film_id != '' AND (
        (NEW.status != OLD.status
            AND NEW.status IN ('succeeded', 'failed', 'cancelled', 'unconfirmed'))
        OR NEW.file != OLD.file
        OR (NEW.status = 'succeeded' AND NEW.due_at = 0 AND OLD.due_at != 0)) BEGIN
    UPDATE films SET due_at = NEW.updated_at, moved = owner != '' WHERE film_id = NEW.film_id;
END;
