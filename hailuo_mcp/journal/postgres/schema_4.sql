-- 4: when a clip was first on disk.

ALTER TABLE tasks ADD COLUMN saved_at DOUBLE PRECISION;
