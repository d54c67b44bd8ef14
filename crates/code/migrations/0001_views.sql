CREATE TABLE code_pass (
  region TEXT NOT NULL, pass BYTEA NOT NULL, person BYTEA NOT NULL, short BYTEA NOT NULL,
  valid_until BIGINT NOT NULL, revoked BIGINT NOT NULL, day BIGINT NOT NULL,
  PRIMARY KEY (region, pass));
CREATE INDEX code_pass_short ON code_pass (region, short);
CREATE INDEX code_pass_person ON code_pass (region, person, valid_until);
CREATE INDEX code_pass_day ON code_pass (region, day);

CREATE TABLE code_revoked (
  region TEXT NOT NULL, pass BYTEA NOT NULL, valid_until BIGINT NOT NULL, PRIMARY KEY (region, pass));
CREATE INDEX code_revoked_until ON code_revoked (region, valid_until);

CREATE TABLE code_order (
  region TEXT NOT NULL, id BYTEA NOT NULL, person BYTEA NOT NULL, stage BIGINT NOT NULL,
  proposed_by BYTEA NOT NULL, proposed_at BIGINT NOT NULL, day BIGINT NOT NULL,
  PRIMARY KEY (region, id));
CREATE INDEX code_order_stage ON code_order (region, stage, proposed_at);
CREATE INDEX code_order_person ON code_order (region, person);
CREATE INDEX code_order_day ON code_order (region, day);

CREATE TABLE code_appeal (
  region TEXT NOT NULL, id BYTEA NOT NULL, person BYTEA NOT NULL, due_at BIGINT NOT NULL,
  answered BIGINT NOT NULL, day BIGINT NOT NULL, PRIMARY KEY (region, id));
CREATE INDEX code_appeal_due ON code_appeal (region, answered, due_at);
CREATE INDEX code_appeal_person ON code_appeal (region, person);
CREATE INDEX code_appeal_day ON code_appeal (region, day);

CREATE TABLE code_decision (
  region TEXT NOT NULL, decision BYTEA NOT NULL, person BYTEA NOT NULL, seq BIGINT NOT NULL,
  day BIGINT NOT NULL, PRIMARY KEY (region, decision));
CREATE INDEX code_decision_person ON code_decision (region, person);
CREATE INDEX code_decision_day ON code_decision (region, day);
