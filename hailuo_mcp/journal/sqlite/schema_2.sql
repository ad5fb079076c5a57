-- 2: a journal that lost something can be told from one that never had it.

ALTER TABLE tasks ADD COLUMN seal TEXT NOT NULL DEFAULT '';
UPDATE tasks SET seal = seal_of(
    task_id, account, provider, caller, created_at, mode, model, duration, resolution, prompt,
    request, identity, take, request_key, remote_id, amount, unit, counted
);

-- Kept by triggers, so that an older program that still has the file open keeps it as well.
-- A task's cost counts until its money is released.
CREATE TABLE totals (
    account TEXT NOT NULL,
    unit TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    steps INTEGER NOT NULL
);
CREATE UNIQUE INDEX totals_of ON totals (account, unit);
INSERT INTO totals
    SELECT account, unit, COUNT(*), SUM(counted * (money IN ('spent', 'reserved'))), COUNT(*)
    FROM tasks GROUP BY account, unit;

CREATE TRIGGER tasks_added AFTER INSERT ON tasks BEGIN
    INSERT INTO totals SELECT NEW.account, NEW.unit, 0, 0, 0 WHERE NOT EXISTS
        (SELECT 1 FROM totals WHERE account = NEW.account AND unit = NEW.unit);
    UPDATE totals
        SET tasks = tasks + 1, steps = steps + 1,
            counted = counted + NEW.counted * (NEW.money IN ('spent', 'reserved'))
        WHERE account = NEW.account AND unit = NEW.unit;
END;
CREATE TRIGGER tasks_moved AFTER UPDATE OF status, money, counted ON tasks
    WHEN NEW.status IS NOT OLD.status
        OR NEW.counted * (NEW.money IN ('spent', 'reserved'))
            IS NOT OLD.counted * (OLD.money IN ('spent', 'reserved')) BEGIN
    UPDATE totals
        SET steps = steps + 1,
            counted = counted + NEW.counted * (NEW.money IN ('spent', 'reserved'))
                - OLD.counted * (OLD.money IN ('spent', 'reserved'))
        WHERE account = NEW.account AND unit = NEW.unit;
END;
CREATE TRIGGER tasks_removed AFTER DELETE ON tasks BEGIN
    UPDATE totals
        SET tasks = tasks - 1, steps = steps + 1,
            counted = counted - OLD.counted * (OLD.money IN ('spent', 'reserved'))
        WHERE account = OLD.account AND unit = OLD.unit;
END;

-- An older program knows of no seal: what it gave an id to has none from then on.
CREATE TRIGGER tasks_unsealed AFTER UPDATE OF remote_id ON tasks
    WHEN NEW.remote_id IS NOT OLD.remote_id AND OLD.seal != '' BEGIN
    UPDATE tasks SET seal = '' WHERE task_id = NEW.task_id;
END;

CREATE TABLE rescues (
    at REAL NOT NULL,
    kept TEXT NOT NULL,
    flaw TEXT NOT NULL,
    expected INTEGER,
    carried INTEGER NOT NULL,
    missing TEXT NOT NULL,
    complete INTEGER NOT NULL,
    accepted_at REAL
);

-- What a person has settled can be settled again.
ALTER TABLE tasks ADD COLUMN settled_at REAL;
