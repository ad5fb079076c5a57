-- 4: the steps of a task that happen later belong to the trace of its purchase.

ALTER TABLE tasks ADD COLUMN traceparent TEXT NOT NULL DEFAULT '';
