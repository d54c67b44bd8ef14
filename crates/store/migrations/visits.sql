-- High-rate facts of who (by pass) was where: a row is a batch of one day, sealed under the key of its
-- kind and day.
-- large rows
CREATE TABLE observation (
  region TEXT NOT NULL, seq BIGINT NOT NULL, day BIGINT NOT NULL, kind TEXT NOT NULL,
  at BIGINT NOT NULL, payload BYTEA NOT NULL, PRIMARY KEY (region, seq)
);
CREATE INDEX observation_day ON observation (region, kind, day);
-- What the observations of a block are found by, 16 bytes each in their order, under the day's key.
-- large rows
CREATE TABLE observation_tag (
  region TEXT NOT NULL, kind TEXT NOT NULL, day BIGINT NOT NULL, seq BIGINT NOT NULL, tags BYTEA NOT NULL,
  PRIMARY KEY (region, kind, day, seq)
);
