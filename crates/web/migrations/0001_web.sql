-- Operational tables, not views: nothing of the log is lost when they are emptied.
-- Sessions by the hash of their token. kind: 0 only a verified phone number, 1 citizen, 2 staff.
-- strong: 1 once a passkey was used. phone is sealed; acting_for is the helped person.
CREATE TABLE web_session (
  region TEXT NOT NULL, session BYTEA NOT NULL, kind BIGINT NOT NULL, who BYTEA NOT NULL,
  acting_for BYTEA, phone BYTEA, strong BIGINT NOT NULL, device TEXT NOT NULL,
  created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  PRIMARY KEY (region, session)
);
CREATE INDEX web_session_who ON web_session (region, kind, who);
CREATE INDEX web_session_expires ON web_session (region, expires_at);
-- One-time codes by a tag of the phone number; `code` is an HMAC. One code lives at a time.
CREATE TABLE web_otp (
  region TEXT NOT NULL, phone BYTEA NOT NULL, code BYTEA NOT NULL, tries BIGINT NOT NULL,
  expires_at BIGINT NOT NULL, window_at BIGINT NOT NULL, sent BIGINT NOT NULL,
  PRIMARY KEY (region, phone)
);
CREATE INDEX web_otp_window ON web_otp (region, window_at);
-- One-time sign-in links by the hash of their token.
CREATE TABLE web_link (
  region TEXT NOT NULL, link BYTEA NOT NULL, kind BIGINT NOT NULL, who BYTEA NOT NULL,
  expires_at BIGINT NOT NULL, used_at BIGINT, PRIMARY KEY (region, link)
);
CREATE INDEX web_link_who ON web_link (region, kind, who);
-- Passkeys by the hash of their credential id; `credential` is what webauthn-rs keeps, as JSON.
CREATE TABLE web_passkey (
  region TEXT NOT NULL, passkey BYTEA NOT NULL, kind BIGINT NOT NULL, who BYTEA NOT NULL,
  credential TEXT NOT NULL, device TEXT NOT NULL, made_at BIGINT NOT NULL, used_at BIGINT,
  PRIMARY KEY (region, passkey)
);
CREATE INDEX web_passkey_who ON web_passkey (region, kind, who);
-- Open passkey ceremonies. purpose: 0 registration, 1 sign-in.
CREATE TABLE web_challenge (
  region TEXT NOT NULL, challenge BYTEA NOT NULL, purpose BIGINT NOT NULL, kind BIGINT NOT NULL,
  who BYTEA NOT NULL, state TEXT NOT NULL, expires_at BIGINT NOT NULL,
  PRIMARY KEY (region, challenge)
);
CREATE INDEX web_challenge_expires ON web_challenge (region, expires_at);
