-- Up to when the server's clock has been believed: nothing is destroyed for an age that only a clock
-- far beyond this would give it (ADR 0038).
CREATE TABLE trusted_clock (
  region TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (region)
);
