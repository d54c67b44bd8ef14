-- What a place asks for of passes that are not the region's own code.
ALTER TABLE gate_place ADD COLUMN pass_rules TEXT NOT NULL DEFAULT 'code_only';
ALTER TABLE gate_place ADD COLUMN full_name BIGINT NOT NULL DEFAULT 0;
ALTER TABLE gate_place ADD COLUMN stale_passes BIGINT NOT NULL DEFAULT 0;
