-- The access log of an organization, newest first, also of one state alone.

-- CreateIndex
CREATE INDEX "connections_organization_id_opened_at_id_idx" ON "connections"("organization_id", "opened_at", "id");

-- What schema.prisma cannot say.
CREATE INDEX "connections_refused_idx" ON "connections" ("organization_id", "opened_at", "id") WHERE "state" = 'refused';
CREATE INDEX "connections_open_of_organization_idx" ON "connections" ("organization_id", "opened_at", "id") WHERE "state" = 'open';
