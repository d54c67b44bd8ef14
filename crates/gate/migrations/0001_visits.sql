-- Entries at doors, for 28 days. `at` is the device's claim in microseconds; `pass` a tag under the
-- day's key, which finds the same pass again while that key lives.
CREATE TABLE gate_visit (
    region TEXT NOT NULL,
    seq BIGINT NOT NULL,
    day BIGINT NOT NULL,
    place BYTEA NOT NULL,
    device BYTEA NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    pass BYTEA,
    PRIMARY KEY (region, seq)
);
CREATE INDEX gate_visit_place ON gate_visit (region, day, place);
CREATE INDEX gate_visit_pass ON gate_visit (region, day, pass);
