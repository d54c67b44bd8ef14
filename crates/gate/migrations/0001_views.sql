-- Places with a door. The name is sealed under the place's key: a sensitive place's name must not
-- lie about in a copy of the database.
CREATE TABLE gate_place (
    region TEXT NOT NULL,
    place BYTEA NOT NULL,
    organisation BYTEA NOT NULL,
    kind TEXT NOT NULL,
    sensitive BIGINT NOT NULL,
    code TEXT NOT NULL,
    name BYTEA,
    printed_allowed BIGINT NOT NULL,
    stale_hours BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (region, place)
);
CREATE INDEX gate_place_code ON gate_place (region, code);
CREATE INDEX gate_place_organisation ON gate_place (region, organisation, place);

-- Devices: phase 1 waiting, 2 approved, 3 refused, 4 withdrawn.
CREATE TABLE gate_device (
    region TEXT NOT NULL,
    device BYTEA NOT NULL,
    place BYTEA NOT NULL,
    phase BIGINT NOT NULL,
    label BYTEA,
    public_key BYTEA NOT NULL,
    asked_at BIGINT NOT NULL,
    decided_at BIGINT,
    PRIMARY KEY (region, device)
);
CREATE INDEX gate_device_place ON gate_device (region, place, phase);
