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
-- it. `moved`: it did while a process worked on the film, and may have been overlooked.
CREATE FUNCTION shots_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE films SET due_at = NEW.updated_at, moved = (owner != '')::INTEGER
        WHERE film_id = NEW.film_id;
    RETURN NULL;
END $$;
CREATE TRIGGER shots_moved AFTER UPDATE OF status, file, due_at ON tasks FOR EACH ROW
    WHEN (NEW.film_id != '' AND (
        (NEW.status != OLD.status
            AND NEW.status IN ('succeeded', 'failed', 'cancelled', 'unconfirmed'))
        OR NEW.file != OLD.file
        OR (NEW.status = 'succeeded' AND NEW.due_at = 0 AND OLD.due_at != 0)))
    EXECUTE FUNCTION shots_moved();

-- Other processes hear of what somebody may be waiting for.
CREATE FUNCTION films_announced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('hailuo_' || md5(TG_TABLE_SCHEMA), NEW.film_id);
    RETURN NULL;
END $$;
CREATE TRIGGER films_changed AFTER UPDATE ON films FOR EACH ROW
    WHEN ((NEW.file, NEW.save_error, NEW.made_at, NEW.redo, NEW.cancelled)
        IS DISTINCT FROM (OLD.file, OLD.save_error, OLD.made_at, OLD.redo, OLD.cancelled))
    EXECUTE FUNCTION films_announced();
