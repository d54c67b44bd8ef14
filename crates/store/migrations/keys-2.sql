-- Wrapping keys by number: which one wrapped a key, and which numbers there are on each side (0
-- identity, 1 visits) beside number 1. `over_at` is when no key was wrapped by it any more; 0 before.
ALTER TABLE vault_key ADD COLUMN wrap BIGINT NOT NULL DEFAULT 1;
CREATE TABLE vault_wrap (
  region TEXT NOT NULL, side BIGINT NOT NULL, number BIGINT NOT NULL, made_at BIGINT NOT NULL,
  over_at BIGINT NOT NULL, PRIMARY KEY (region, side, number)
);
