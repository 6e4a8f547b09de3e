-- Credentials of an organization in the order of their making, also those of one device, and in the order in which they expire.

-- DropIndex
DROP INDEX "credentials_organization_id_device_id_idx";

-- CreateIndex
CREATE INDEX "credentials_organization_id_device_id_created_at_id_idx" ON "credentials"("organization_id", "device_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "credentials_organization_id_created_at_id_idx" ON "credentials"("organization_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "credentials_organization_id_expires_at_id_idx" ON "credentials"("organization_id", "expires_at", "id");
