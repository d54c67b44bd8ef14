-- Operational, not views: what makes each batch and each entry count once.
CREATE TABLE gate_batch (
    region TEXT NOT NULL,
    device BYTEA NOT NULL,
    batch BYTEA NOT NULL,
    at BIGINT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (region, device, batch)
);
CREATE INDEX gate_batch_at ON gate_batch (region, at);

-- Entry numbers taken, one bit each, 4,096 to a block.
CREATE TABLE gate_taken (
    region TEXT NOT NULL,
    device BYTEA NOT NULL,
    block BIGINT NOT NULL,
    bits BYTEA NOT NULL,
    PRIMARY KEY (region, device, block)
);
