-- Events with their payloads beside the log. `payload` is sealed unless `sealed` is 0 (public).
CREATE TABLE event (
  region TEXT NOT NULL, seq BIGINT NOT NULL, stream TEXT NOT NULL, stream_id BYTEA NOT NULL,
  kind TEXT NOT NULL, at BIGINT NOT NULL, sealed BIGINT NOT NULL, epoch BIGINT, payload BYTEA NOT NULL,
  PRIMARY KEY (region, seq)
);
CREATE INDEX event_stream ON event (region, stream, stream_id, seq);
-- The log itself: one row per 256 entries, one per hash tile, one head.
-- large rows
CREATE TABLE log_bundle (
  region TEXT NOT NULL, position BIGINT NOT NULL, width BIGINT NOT NULL, bytes BYTEA NOT NULL,
  PRIMARY KEY (region, position)
);
-- large rows
CREATE TABLE log_tile (
  region TEXT NOT NULL, level BIGINT NOT NULL, position BIGINT NOT NULL, width BIGINT NOT NULL,
  bytes BYTEA NOT NULL, PRIMARY KEY (region, level, position)
);
CREATE TABLE log_head (
  region TEXT NOT NULL, size BIGINT NOT NULL, root BYTEA NOT NULL, checkpoint TEXT NOT NULL,
  at BIGINT NOT NULL, PRIMARY KEY (region)
);
-- Commands that took effect, by the id their sender chose.
CREATE TABLE command (
  region TEXT NOT NULL, command BYTEA NOT NULL, at BIGINT NOT NULL, first BIGINT NOT NULL,
  count BIGINT NOT NULL, PRIMARY KEY (region, command)
);
CREATE INDEX command_at ON command (region, at);
-- Who read whose what, when, why. `hour` is hours since 1970.
CREATE TABLE access (
  region TEXT NOT NULL, hour BIGINT NOT NULL, number BIGINT NOT NULL, at BIGINT NOT NULL,
  reader TEXT NOT NULL, subject BYTEA NOT NULL, record TEXT NOT NULL, purpose TEXT NOT NULL,
  grounds TEXT NOT NULL, PRIMARY KEY (region, hour, number)
);
CREATE INDEX access_subject ON access (region, subject, at);
-- Hours of the access log whose root stands on the log.
CREATE TABLE access_hour (
  region TEXT NOT NULL, hour BIGINT NOT NULL, count BIGINT NOT NULL, root BYTEA NOT NULL,
  seq BIGINT NOT NULL, PRIMARY KEY (region, hour)
);
-- What must leave. state: 0 waiting, 1 delivered, 2 dead.
CREATE TABLE outbox (
  region TEXT NOT NULL, message BYTEA NOT NULL, topic TEXT NOT NULL, state BIGINT NOT NULL,
  due_at BIGINT NOT NULL, attempts BIGINT NOT NULL, made_at BIGINT NOT NULL, sealed BYTEA NOT NULL,
  error TEXT NOT NULL, PRIMARY KEY (region, message)
);
CREATE INDEX outbox_due ON outbox (region, state, due_at);
-- Subjects whose keys must be gone: looked at again after every start.
CREATE TABLE forgotten (
  region TEXT NOT NULL, subject BYTEA NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (region, subject)
);
