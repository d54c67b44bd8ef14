CREATE TABLE pass_bound (
  region TEXT NOT NULL, kid TEXT NOT NULL, seq BIGINT NOT NULL, card BYTEA NOT NULL,
  person BYTEA NOT NULL, PRIMARY KEY (region, kid, seq));
CREATE INDEX pass_bound_person ON pass_bound (region, person);
