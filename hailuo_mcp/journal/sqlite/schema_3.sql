-- 3: the slots of tenants, which also have a limit of their own.

CREATE TABLE tenant_slots (account TEXT NOT NULL, caller TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX tenant_slots_at ON tenant_slots (account, caller, at);
CREATE INDEX tasks_pending ON tasks (account, due_at) WHERE status = 'pending';
