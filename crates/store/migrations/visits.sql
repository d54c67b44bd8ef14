-- High-rate facts of who (by pass) was where, sealed under a key per kind and day.
CREATE TABLE observation (
  region TEXT NOT NULL, seq BIGINT NOT NULL, day BIGINT NOT NULL, kind TEXT NOT NULL,
  at BIGINT NOT NULL, payload BYTEA NOT NULL, PRIMARY KEY (region, seq)
);
CREATE INDEX observation_day ON observation (region, kind, day);
