-- A day's blocks are found by their tags, which lie by kind and day.
DROP INDEX observation_day;
