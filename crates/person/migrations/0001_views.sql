-- Views of the person slice: folds of person.citizen, person.staff, person.organisation.
-- Names, numbers and days of birth lie sealed under their subject's key; a number is found by its
-- keyed tag.

CREATE TABLE person_citizen (
    region TEXT NOT NULL,
    person BYTEA NOT NULL,
    phone_tag BYTEA,
    phone BYTEA,
    phone_at BIGINT,
    name BYTEA,
    birth_date BYTEA,
    locale TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    PRIMARY KEY (region, person)
);
CREATE INDEX person_citizen_phone ON person_citizen (region, phone_tag);

CREATE TABLE person_offer (
    region TEXT NOT NULL,
    person BYTEA NOT NULL,
    offer TEXT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (region, person)
);
CREATE INDEX person_offer_offer ON person_offer (region, offer);

CREATE TABLE person_help (
    region TEXT NOT NULL,
    helped BYTEA NOT NULL,
    helper BYTEA NOT NULL,
    kin TEXT NOT NULL,
    ground TEXT NOT NULL,
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (region, helped, helper)
);
CREATE INDEX person_help_helper ON person_help (region, helper);

CREATE TABLE person_staff (
    region TEXT NOT NULL,
    staff BYTEA NOT NULL,
    name BYTEA,
    phone BYTEA,
    email BYTEA,
    suspended BIGINT NOT NULL,
    appointed_at BIGINT NOT NULL,
    PRIMARY KEY (region, staff)
);

CREATE TABLE person_role (
    region TEXT NOT NULL,
    staff BYTEA NOT NULL,
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (region, staff, role, scope)
);

CREATE TABLE person_organisation (
    region TEXT NOT NULL,
    organisation BYTEA NOT NULL,
    name BYTEA,
    kind TEXT NOT NULL,
    closed BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    PRIMARY KEY (region, organisation)
);
