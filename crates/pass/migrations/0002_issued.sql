CREATE TABLE pass_issued (
  region TEXT NOT NULL, card BYTEA NOT NULL, person BYTEA NOT NULL, organisation BYTEA NOT NULL,
  kid TEXT NOT NULL, seq BIGINT NOT NULL, list BIGINT NOT NULL, place BIGINT NOT NULL,
  standing BIGINT NOT NULL, issued_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  PRIMARY KEY (region, card));
CREATE INDEX pass_issued_person ON pass_issued (region, person);
CREATE INDEX pass_issued_organisation ON pass_issued (region, organisation, issued_at);
CREATE INDEX pass_issued_kid ON pass_issued (region, kid, seq);
CREATE INDEX pass_issued_place ON pass_issued (region, list, place);

CREATE TABLE pass_status (
  region TEXT NOT NULL, list BIGINT NOT NULL, place BIGINT NOT NULL, status BIGINT NOT NULL,
  seq BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (region, list, place));
CREATE INDEX pass_status_seq ON pass_status (region, seq);
