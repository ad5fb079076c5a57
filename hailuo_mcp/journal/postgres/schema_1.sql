-- 1: tasks are the ledger, the queue and the history at once.

CREATE TABLE shape (version INTEGER NOT NULL, readable_since INTEGER NOT NULL);

CREATE TABLE tasks (
    task_id TEXT COLLATE "C" PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    updated_at DOUBLE PRECISION NOT NULL,
    mode TEXT NOT NULL,
    model TEXT NOT NULL,
    duration INTEGER,
    resolution TEXT,
    prompt TEXT NOT NULL,
    request TEXT NOT NULL,
    identity TEXT COLLATE "C" NOT NULL,
    take INTEGER NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    attempt INTEGER NOT NULL,
    remote_id TEXT COLLATE "C" NOT NULL,
    remote_alias TEXT COLLATE "C" NOT NULL,
    remote_status TEXT NOT NULL,
    file_id TEXT NOT NULL,
    url TEXT NOT NULL,
    url_expires_at DOUBLE PRECISION,
    error_code TEXT NOT NULL,
    error TEXT NOT NULL,
    error_kind TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    trace_id TEXT NOT NULL,
    amount TEXT,
    counted BIGINT NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    money TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    lease_until DOUBLE PRECISION NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    polls INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    refused_at DOUBLE PRECISION,
    submitted_at DOUBLE PRECISION,
    polled_at DOUBLE PRECISION,
    unfinished_at DOUBLE PRECISION,
    finished_at DOUBLE PRECISION,
    file TEXT NOT NULL,
    bytes BIGINT,
    sha256 TEXT NOT NULL,
    width INTEGER,
    height INTEGER,
    seconds DOUBLE PRECISION,
    save_error TEXT NOT NULL,
    warnings TEXT NOT NULL,
    callback_token TEXT COLLATE "C" NOT NULL,
    seal TEXT NOT NULL DEFAULT '',
    settled_at DOUBLE PRECISION,
    traceparent TEXT NOT NULL DEFAULT ''
);

CREATE INDEX tasks_identity ON tasks (account, identity, created_at);
CREATE INDEX tasks_request_key ON tasks (account, caller, request_key, created_at)
    WHERE request_key != '';
-- due_at 0 means that nothing is left to do: those rows are not in the index.
CREATE INDEX tasks_due ON tasks (account, due_at) WHERE due_at > 0;
CREATE INDEX tasks_leased ON tasks (owner) WHERE owner != '';
CREATE INDEX tasks_created ON tasks (created_at);
CREATE INDEX tasks_status ON tasks (status, created_at);
CREATE INDEX tasks_remote ON tasks (remote_id) WHERE remote_id != '';
CREATE INDEX tasks_alias ON tasks (remote_alias) WHERE remote_alias != '';
CREATE INDEX tasks_callback ON tasks (callback_token) WHERE callback_token != '';
CREATE INDEX tasks_history ON tasks (provider, model, resolution, duration, finished_at)
    WHERE finished_at IS NOT NULL;
CREATE INDEX tasks_of_caller ON tasks (caller, status, created_at, task_id);
CREATE INDEX tasks_pending ON tasks (account, due_at) WHERE status = 'pending';
CREATE INDEX tasks_submitting ON tasks (account, owner) WHERE status = 'submitting';
CREATE INDEX tasks_unsaved ON tasks (status, created_at)
    WHERE status = 'succeeded' AND file = '';
CREATE INDEX tasks_unsaved_of_caller ON tasks (caller, status, created_at, task_id)
    WHERE status = 'succeeded' AND file = '';
-- Purchases whose remote id is unknown, so that any id may be theirs.
CREATE INDEX tasks_awaiting_id ON tasks (account, caller)
    WHERE remote_id = '' AND (status IN ('submitting', 'unconfirmed')
        OR (status = 'failed' AND money = 'spent'));
-- When they became it, or were last changed.
CREATE INDEX tasks_unconfirmed ON tasks (status, updated_at) WHERE status = 'unconfirmed';

CREATE TABLE slots (account TEXT COLLATE "C" NOT NULL, at DOUBLE PRECISION NOT NULL);
CREATE INDEX slots_at ON slots (account, at);
CREATE TABLE tenant_slots (
    account TEXT COLLATE "C" NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    at DOUBLE PRECISION NOT NULL
);
CREATE INDEX tenant_slots_at ON tenant_slots (account, caller, at);

CREATE TABLE accounts (
    account TEXT COLLATE "C" PRIMARY KEY,
    provider TEXT NOT NULL,
    base_url TEXT NOT NULL,
    paused_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE owners (
    owner TEXT COLLATE "C" PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    pid INTEGER NOT NULL,
    started_at DOUBLE PRECISION NOT NULL,
    seen_at DOUBLE PRECISION NOT NULL DEFAULT 0
);

CREATE TABLE codes (
    code TEXT PRIMARY KEY,
    caller TEXT NOT NULL,
    identity TEXT NOT NULL,
    amount TEXT NOT NULL,
    issued_at DOUBLE PRECISION NOT NULL,
    used_at DOUBLE PRECISION
);

CREATE TABLE approvals (
    caller TEXT NOT NULL,
    identity TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (caller, identity)
);

CREATE TABLE secrets (name TEXT PRIMARY KEY, value BYTEA NOT NULL);

-- Running totals, which triggers keep. Whoever changes them has locked the account.

-- A task's cost counts until its money is released.
CREATE TABLE totals (
    account TEXT COLLATE "C" NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    tasks BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    steps BIGINT NOT NULL,
    PRIMARY KEY (account, unit)
) WITH (fillfactor = 50);

CREATE TABLE account_counts (
    account TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    tasks BIGINT NOT NULL,
    PRIMARY KEY (account, status)
) WITH (fillfactor = 50);
CREATE TABLE caller_counts (
    caller TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    tasks BIGINT NOT NULL,
    PRIMARY KEY (caller, account, status)
) WITH (fillfactor = 50);

-- What was spent and reserved (a part of it uncertain), in millionths, by when it was bought: in
-- spans of a quarter of an hour, which every local midnight begins, of a day, and of all time.
-- `start` is in Unix seconds, a multiple of `span`.
CREATE TABLE account_spending (
    account TEXT COLLATE "C" NOT NULL,
    span BIGINT NOT NULL,
    start BIGINT NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    spent BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    uncertain BIGINT NOT NULL,
    PRIMARY KEY (account, span, start, unit)
) WITH (fillfactor = 50);
CREATE TABLE caller_spending (
    account TEXT COLLATE "C" NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    span BIGINT NOT NULL,
    start BIGINT NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    spent BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    uncertain BIGINT NOT NULL,
    PRIMARY KEY (account, caller, span, start, unit)
) WITH (fillfactor = 50);

-- `sign` is 1, or -1 to take away what a task counted before.
CREATE FUNCTION add_up(task tasks, sign INTEGER) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held BOOLEAN := task.money IN ('spent', 'reserved');
    spent BIGINT := CASE WHEN task.money = 'spent' THEN sign * task.counted ELSE 0 END;
    reserved BIGINT := CASE WHEN task.money = 'reserved' THEN sign * task.counted ELSE 0 END;
    uncertain BIGINT := CASE WHEN task.status = 'unconfirmed' THEN reserved ELSE 0 END;
BEGIN
    INSERT INTO totals VALUES
        (task.account, task.unit, sign, CASE WHEN held THEN sign * task.counted ELSE 0 END, 1)
        ON CONFLICT (account, unit) DO UPDATE SET tasks = totals.tasks + excluded.tasks,
            counted = totals.counted + excluded.counted, steps = totals.steps + 1;
    INSERT INTO account_counts AS now VALUES (task.account, task.status, sign)
        ON CONFLICT (account, status) DO UPDATE SET tasks = now.tasks + excluded.tasks;
    INSERT INTO caller_counts AS now VALUES (task.caller, task.account, task.status, sign)
        ON CONFLICT (caller, account, status) DO UPDATE SET tasks = now.tasks + excluded.tasks;
    IF NOT held OR task.counted = 0 THEN RETURN; END IF;
    INSERT INTO account_spending AS now
        SELECT task.account, span, floor(task.created_at / span)::BIGINT * span, task.unit,
            spent, reserved, uncertain
        FROM unnest(ARRAY[900, 86400, 100000000000]) AS span
        ON CONFLICT (account, span, start, unit) DO UPDATE SET spent = now.spent + excluded.spent,
            reserved = now.reserved + excluded.reserved,
            uncertain = now.uncertain + excluded.uncertain;
    INSERT INTO caller_spending AS now
        SELECT task.account, task.caller, span, floor(task.created_at / span)::BIGINT * span,
            task.unit, spent, reserved, uncertain
        FROM unnest(ARRAY[900, 86400, 100000000000]) AS span
        ON CONFLICT (account, caller, span, start, unit) DO UPDATE SET
            spent = now.spent + excluded.spent, reserved = now.reserved + excluded.reserved,
            uncertain = now.uncertain + excluded.uncertain;
END $$;
CREATE FUNCTION tasks_added_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP != 'INSERT' THEN PERFORM add_up(OLD, -1); END IF;
    IF TG_OP != 'DELETE' THEN PERFORM add_up(NEW, 1); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tasks_added_up AFTER INSERT OR DELETE ON tasks
    FOR EACH ROW EXECUTE FUNCTION tasks_added_up();
CREATE TRIGGER tasks_moved
    AFTER UPDATE OF account, caller, unit, created_at, status, money, counted ON tasks
    FOR EACH ROW WHEN ((NEW.account, NEW.caller, NEW.unit, NEW.created_at, NEW.status, NEW.money,
            NEW.counted)
        IS DISTINCT FROM (OLD.account, OLD.caller, OLD.unit, OLD.created_at, OLD.status, OLD.money,
            OLD.counted))
    EXECUTE FUNCTION tasks_added_up();

-- Other processes hear of what somebody may be waiting for.
CREATE FUNCTION tasks_announced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('hailuo_' || md5(TG_TABLE_SCHEMA), NEW.task_id);
    RETURN NULL;
END $$;
CREATE TRIGGER tasks_new AFTER INSERT ON tasks
    FOR EACH ROW EXECUTE FUNCTION tasks_announced();
CREATE TRIGGER tasks_changed AFTER UPDATE ON tasks FOR EACH ROW
    WHEN ((NEW.status, NEW.remote_status, NEW.remote_id, NEW.money, NEW.file, NEW.error,
            NEW.save_error, NEW.warnings)
        IS DISTINCT FROM (OLD.status, OLD.remote_status, OLD.remote_id, OLD.money, OLD.file,
            OLD.error, OLD.save_error, OLD.warnings))
    EXECUTE FUNCTION tasks_announced();
