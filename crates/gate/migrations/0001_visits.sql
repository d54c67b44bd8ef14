-- Entries at doors, for 28 days, counted: for each batch, quarter of an hour and verdict. `quarter` is
-- quarters of an hour since 1970 and `latest` microseconds, both by the device's claim. Who entered lies
-- sealed in the observation.
CREATE TABLE gate_visit (
    region TEXT NOT NULL,
    day BIGINT NOT NULL,
    place BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    device BYTEA NOT NULL,
    quarter BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    count BIGINT NOT NULL,
    latest BIGINT NOT NULL,
    PRIMARY KEY (region, day, place, seq, device, quarter, verdict)
);
