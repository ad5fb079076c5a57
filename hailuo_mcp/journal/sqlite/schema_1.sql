-- 1: tasks are the ledger, the queue and the history at once.

CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    provider TEXT NOT NULL,
    caller TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    mode TEXT NOT NULL,
    model TEXT NOT NULL,
    duration INTEGER,
    resolution TEXT,
    prompt TEXT NOT NULL,
    request TEXT NOT NULL,
    identity TEXT NOT NULL,
    take INTEGER NOT NULL,
    request_key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    remote_id TEXT NOT NULL,
    remote_alias TEXT NOT NULL,
    remote_status TEXT NOT NULL,
    file_id TEXT NOT NULL,
    url TEXT NOT NULL,
    url_expires_at REAL,
    error_code TEXT NOT NULL,
    error TEXT NOT NULL,
    error_kind TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    trace_id TEXT NOT NULL,
    amount TEXT,
    counted INTEGER NOT NULL,
    unit TEXT NOT NULL,
    money TEXT NOT NULL,
    owner TEXT NOT NULL,
    lease_until REAL NOT NULL,
    due_at REAL NOT NULL,
    polls INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    refused_at REAL,
    submitted_at REAL,
    polled_at REAL,
    unfinished_at REAL,
    finished_at REAL,
    file TEXT NOT NULL,
    bytes INTEGER,
    sha256 TEXT NOT NULL,
    width INTEGER,
    height INTEGER,
    seconds REAL,
    save_error TEXT NOT NULL,
    warnings TEXT NOT NULL,
    callback_token TEXT NOT NULL
);

CREATE INDEX tasks_identity ON tasks (account, identity, created_at);
CREATE INDEX tasks_request_key ON tasks (account, caller, request_key, created_at)
    WHERE request_key != '';
CREATE INDEX tasks_money ON tasks (account, unit, money, created_at, status, counted);
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

CREATE TABLE slots (account TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX slots_at ON slots (account, at);

CREATE TABLE accounts (
    account TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    base_url TEXT NOT NULL,
    paused_until REAL NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE owners (
    owner TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at REAL NOT NULL
);

CREATE TABLE codes (
    code TEXT PRIMARY KEY,
    caller TEXT NOT NULL,
    identity TEXT NOT NULL,
    amount TEXT NOT NULL,
    issued_at REAL NOT NULL,
    used_at REAL
);

CREATE TABLE approvals (
    caller TEXT NOT NULL,
    identity TEXT NOT NULL,
    at REAL NOT NULL
);
