-- What waits for its position, of each organization by age: organizations take turns, so that the backlog of one keeps nobody waiting.
DROP INDEX "events_waiting";
CREATE INDEX "events_waiting" ON "events" ("organization_id", "created_at") WHERE coalesce("position", 0) = 0;
