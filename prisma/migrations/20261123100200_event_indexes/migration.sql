-- Each index of events has a condition of its own, which only the query that it is for states. The planner knows how often a type or
-- an organization is on average, and not where; left to itself it takes an index that has the order but not the filter, and reads on
-- until the rare one comes, or looks at all that wait for each that does.

DROP INDEX "events_waiting";
DROP INDEX "events_position";
DROP INDEX "events_of_organization";

-- What waits for its position, by age (the relay).
CREATE INDEX "events_waiting" ON "events" ("created_at") WHERE coalesce("position", 0) = 0;
-- By position alone (retention).
CREATE UNIQUE INDEX "events_position" ON "events" ("position") WHERE coalesce("position", -1) > 0;
-- Of an organization (the feed without a filter, replays).
CREATE INDEX "events_of_organization" ON "events" ("organization_id", "position") WHERE coalesce("position", 0) > 0;
