-- Every pass with the key that signed it and its place on the log, for as long as the event is kept.
CREATE TABLE code_signed (
  region TEXT NOT NULL, pass BYTEA NOT NULL, kid TEXT NOT NULL, seq BIGINT NOT NULL, person BYTEA NOT NULL,
  issued_at BIGINT NOT NULL, valid_until BIGINT NOT NULL, day BIGINT NOT NULL,
  PRIMARY KEY (region, pass));
CREATE INDEX code_signed_kid ON code_signed (region, kid, seq);
CREATE INDEX code_signed_person ON code_signed (region, person);
CREATE INDEX code_signed_day ON code_signed (region, day);
