-- A closed organisation leaves the view: its key is destroyed with it. Roles are found by scope, to end
-- them when their organisation closes.

DELETE FROM person_organisation WHERE closed <> 0;
ALTER TABLE person_organisation DROP COLUMN closed;

CREATE INDEX person_role_scope ON person_role (region, scope);
