CREATE TABLE pass_card (
  region TEXT NOT NULL, card BYTEA NOT NULL, person BYTEA NOT NULL, ends_at BIGINT,
  warn_at BIGINT, removed_at BIGINT, PRIMARY KEY (region, card));
CREATE INDEX pass_card_person ON pass_card (region, person);
CREATE INDEX pass_card_warn ON pass_card (region, warn_at);
CREATE INDEX pass_card_removed ON pass_card (region, removed_at);

CREATE TABLE pass_source (
  region TEXT NOT NULL, source BYTEA NOT NULL, phase BIGINT NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, sha256 TEXT NOT NULL, items BIGINT NOT NULL, offered_by BYTEA NOT NULL,
  offered_at BIGINT NOT NULL, decided_at BIGINT, PRIMARY KEY (region, source));
CREATE INDEX pass_source_phase ON pass_source (region, phase, offered_at);
