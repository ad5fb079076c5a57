-- 6: what the provider counted, and which of its tasks may be one that got no answer.

ALTER TABLE tasks ADD COLUMN quoted TEXT;
ALTER TABLE tasks ADD COLUMN sent_at REAL;
ALTER TABLE tasks ADD COLUMN candidates TEXT NOT NULL DEFAULT '[]';
