-- Keys of subjects and of days, wrapped by the region's keys. Deleting a row erases what it sealed.
CREATE TABLE vault_key (
  region TEXT NOT NULL, scope TEXT NOT NULL, wrapped BYTEA NOT NULL, PRIMARY KEY (region, scope)
);
