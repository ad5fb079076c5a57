-- 3: what is asked often costs the same however much was bought before.

DROP INDEX IF EXISTS tasks_money;
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

-- Running totals. Triggers keep them, so that an older program that has the file open does too.
CREATE TABLE account_counts (
    account TEXT NOT NULL,
    status TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (account, status)
) WITHOUT ROWID;
CREATE TABLE caller_counts (
    caller TEXT NOT NULL,
    account TEXT NOT NULL,
    status TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (caller, account, status)
) WITHOUT ROWID;

-- What was spent and reserved (a part of it uncertain), in millionths, by when it was bought: in
-- spans of a quarter of an hour, which every local midnight begins, of a day, and of all time.
-- `start` is in Unix seconds, a multiple of `span`. The key of an account is its longest part.
CREATE TABLE account_spending (
    account TEXT NOT NULL,
    span INTEGER NOT NULL,
    start INTEGER NOT NULL,
    unit TEXT NOT NULL,
    spent INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    uncertain INTEGER NOT NULL,
    PRIMARY KEY (account, span, start, unit)
) WITHOUT ROWID;
CREATE TABLE caller_spending (
    account TEXT NOT NULL,
    caller TEXT NOT NULL,
    span INTEGER NOT NULL,
    start INTEGER NOT NULL,
    unit TEXT NOT NULL,
    spent INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    uncertain INTEGER NOT NULL,
    PRIMARY KEY (account, caller, span, start, unit)
) WITHOUT ROWID;
CREATE TABLE spans (span INTEGER PRIMARY KEY);
INSERT INTO spans VALUES (900), (86400), (100000000000);

-- Views that add to both tables: `sign` is 1, or -1 to take away what a task counted before.
CREATE VIEW spending_changes AS
    SELECT 0 AS sign, account, caller, unit, created_at, status, money, counted FROM tasks;
CREATE TRIGGER spending_added INSTEAD OF INSERT ON spending_changes BEGIN
    INSERT INTO account_spending
        SELECT NEW.account, span, CAST(NEW.created_at AS INTEGER) / span * span, NEW.unit,
            NEW.sign * NEW.counted * (NEW.money = 'spent'),
            NEW.sign * NEW.counted * (NEW.money = 'reserved'),
            NEW.sign * NEW.counted * (NEW.money = 'reserved' AND NEW.status = 'unconfirmed')
        FROM spans WHERE TRUE
        ON CONFLICT DO UPDATE SET spent = spent + excluded.spent,
            reserved = reserved + excluded.reserved, uncertain = uncertain + excluded.uncertain;
    INSERT INTO caller_spending
        SELECT NEW.account, NEW.caller, span, CAST(NEW.created_at AS INTEGER) / span * span,
            NEW.unit,
            NEW.sign * NEW.counted * (NEW.money = 'spent'),
            NEW.sign * NEW.counted * (NEW.money = 'reserved'),
            NEW.sign * NEW.counted * (NEW.money = 'reserved' AND NEW.status = 'unconfirmed')
        FROM spans WHERE TRUE
        ON CONFLICT DO UPDATE SET spent = spent + excluded.spent,
            reserved = reserved + excluded.reserved, uncertain = uncertain + excluded.uncertain;
END;

CREATE VIEW count_changes AS SELECT 0 AS sign, account, caller, status FROM tasks;
CREATE TRIGGER counts_added INSTEAD OF INSERT ON count_changes BEGIN
    INSERT INTO account_counts VALUES (NEW.account, NEW.status, NEW.sign)
        ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks;
    INSERT INTO caller_counts VALUES (NEW.caller, NEW.account, NEW.status, NEW.sign)
        ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks;
END;

INSERT INTO caller_counts
    SELECT caller, account, status, COUNT(*) FROM tasks GROUP BY 1, 2, 3;
INSERT INTO account_counts
    SELECT account, status, SUM(tasks) FROM caller_counts GROUP BY 1, 2;
INSERT INTO caller_spending
    SELECT account, caller, 900, CAST(created_at AS INTEGER) / 900 * 900, unit,
        SUM(counted * (money = 'spent')),
        SUM(counted * (money = 'reserved')),
        SUM(counted * (money = 'reserved' AND status = 'unconfirmed'))
    FROM tasks WHERE money IN ('spent', 'reserved') AND counted != 0 GROUP BY 1, 2, 3, 4, 5;
INSERT INTO caller_spending
    SELECT account, caller, 86400, start / 86400 * 86400, unit,
        SUM(spent), SUM(reserved), SUM(uncertain)
    FROM caller_spending WHERE span = 900 GROUP BY 1, 2, 3, 4, 5;
INSERT INTO caller_spending
    SELECT account, caller, 100000000000, 0, unit, SUM(spent), SUM(reserved), SUM(uncertain)
    FROM caller_spending WHERE span = 86400 GROUP BY 1, 2, 3, 4, 5;
INSERT INTO account_spending
    SELECT account, span, start, unit, SUM(spent), SUM(reserved), SUM(uncertain)
    FROM caller_spending GROUP BY 1, 2, 3, 4;

CREATE TRIGGER tasks_added_up AFTER INSERT ON tasks BEGIN
    INSERT INTO count_changes VALUES (1, NEW.account, NEW.caller, NEW.status);
    INSERT INTO spending_changes
        SELECT 1, NEW.account, NEW.caller, NEW.unit, NEW.created_at, NEW.status, NEW.money,
            NEW.counted
        WHERE NEW.counted != 0 AND NEW.money IN ('spent', 'reserved');
END;
CREATE TRIGGER tasks_recounted AFTER UPDATE OF status, caller, account ON tasks
    WHEN (NEW.status, NEW.caller, NEW.account) IS NOT (OLD.status, OLD.caller, OLD.account) BEGIN
    INSERT INTO count_changes VALUES (-1, OLD.account, OLD.caller, OLD.status);
    INSERT INTO count_changes VALUES (1, NEW.account, NEW.caller, NEW.status);
END;
CREATE TRIGGER tasks_repriced
    AFTER UPDATE OF account, caller, unit, created_at, status, money, counted ON tasks
    WHEN (NEW.account, NEW.caller, NEW.unit, NEW.created_at, NEW.status = 'unconfirmed',
            NEW.money, NEW.counted)
        IS NOT (OLD.account, OLD.caller, OLD.unit, OLD.created_at, OLD.status = 'unconfirmed',
            OLD.money, OLD.counted) BEGIN
    INSERT INTO spending_changes
        SELECT -1, OLD.account, OLD.caller, OLD.unit, OLD.created_at, OLD.status, OLD.money,
            OLD.counted
        WHERE OLD.counted != 0 AND OLD.money IN ('spent', 'reserved');
    INSERT INTO spending_changes
        SELECT 1, NEW.account, NEW.caller, NEW.unit, NEW.created_at, NEW.status, NEW.money,
            NEW.counted
        WHERE NEW.counted != 0 AND NEW.money IN ('spent', 'reserved');
END;
CREATE TRIGGER tasks_taken_away AFTER DELETE ON tasks BEGIN
    INSERT INTO count_changes VALUES (-1, OLD.account, OLD.caller, OLD.status);
    INSERT INTO spending_changes
        SELECT -1, OLD.account, OLD.caller, OLD.unit, OLD.created_at, OLD.status, OLD.money,
            OLD.counted
        WHERE OLD.counted != 0 AND OLD.money IN ('spent', 'reserved');
END;

-- The slots of tenants, which may also have a limit of their own.
CREATE TABLE tenant_slots (account TEXT NOT NULL, caller TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX tenant_slots_at ON tenant_slots (account, caller, at);
