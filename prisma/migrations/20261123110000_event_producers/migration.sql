-- AlterTable
ALTER TABLE "organizations" ADD COLUMN     "connection_events" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "networks" ADD COLUMN     "connection_events" BOOLEAN;

-- AlterTable
ALTER TABLE "credentials" ADD COLUMN     "expiring_told_at" TIMESTAMPTZ(3),
ADD COLUMN     "expired_told_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "attachments" ADD COLUMN     "told_online" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "told_concentrator_id" TEXT,
ADD COLUMN     "told_remote_address" TEXT,
ADD COLUMN     "told_at" TIMESTAMPTZ(3),
ADD COLUMN     "tell_since" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "tunnels" ADD COLUMN     "connection_events" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "connections_told" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "connections_told_since" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "connections" ADD COLUMN     "told" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "event_tallies" (
    "resource_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "seen" INTEGER NOT NULL,
    "told" INTEGER NOT NULL,
    "data" JSONB NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,
    "window_sec" INTEGER NOT NULL,
    "window_ends_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "event_tallies_pkey" PRIMARY KEY ("resource_id","type","cause")
);

-- CreateIndex
CREATE INDEX "event_tallies_window_ends_at_idx" ON "event_tallies"("window_ends_at");

-- What schema.prisma cannot say.

CREATE INDEX "attachments_to_tell_idx" ON "attachments" ("tell_since") WHERE "tell_since" IS NOT NULL;
CREATE INDEX "credentials_to_tell_idx" ON "credentials" ("expires_at") WHERE "revoked_at" IS NULL AND "expired_told_at" IS NULL;

-- What was told before these columns were there.
UPDATE "attachments" SET "told_online" = "state" = 'attached', "told_concentrator_id" = "concentrator_id",
  "told_remote_address" = "remote_address", "told_at" = now();
UPDATE "credentials" SET "expiring_told_at" = now(), "expired_told_at" = now() WHERE "expires_at" <= now();
