-- The feed: after its transaction has committed, each event gets a position that is higher than all given before.

-- DropIndex
DROP INDEX "events_organization_id_created_at_id_idx";

-- AlterTable
ALTER TABLE "events" ADD COLUMN     "device_id" TEXT,
ADD COLUMN     "position" BIGINT;

-- CreateTable
CREATE TABLE "event_feed" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "last_position" BIGINT NOT NULL DEFAULT 0,
    "removed_through" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "event_feed_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event_floors" (
    "resource_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,

    CONSTRAINT "event_floors_pkey" PRIMARY KEY ("resource_id")
);

-- CreateTable
CREATE TABLE "relay_faults" (
    "consumer" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 1,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "relay_faults_pkey" PRIMARY KEY ("consumer","event_id")
);

-- CreateIndex
CREATE INDEX "events_organization_id_created_at_position_idx" ON "events"("organization_id", "created_at", "position");

-- CreateIndex
CREATE INDEX "relay_faults_next_attempt_at_idx" ON "relay_faults"("next_attempt_at");

-- CreateIndex
CREATE INDEX "relay_faults_event_id_idx" ON "relay_faults"("event_id");

-- AddForeignKey
ALTER TABLE "relay_faults" ADD CONSTRAINT "relay_faults_event_id_fkey" FOREIGN KEY ("event_id") REFERENCES "events"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What schema.prisma cannot say.

ALTER TABLE "event_feed" ADD CONSTRAINT "event_feed_is_one" CHECK ("id" = 1);
INSERT INTO "event_feed" DEFAULT VALUES;

-- What waits for its position, by age and in order of each resource.
CREATE INDEX "events_waiting" ON "events" ("created_at") WHERE "position" IS NULL;
CREATE INDEX "events_waiting_of_resource" ON "events" ("resource_id", "sequence") WHERE "position" IS NULL;

-- What has one: by itself, and for each filter of the feed. Nothing of it is written before.
CREATE UNIQUE INDEX "events_position" ON "events" ("position") WHERE "position" IS NOT NULL;
CREATE INDEX "events_of_organization" ON "events" ("organization_id", "position") WHERE "position" IS NOT NULL;
CREATE INDEX "events_of_type" ON "events" ("organization_id", "type", "position") WHERE "position" IS NOT NULL;
CREATE INDEX "events_of_resource" ON "events" ("resource_id", "position") WHERE "position" IS NOT NULL;
CREATE INDEX "events_of_device" ON "events" ("organization_id", "device_id", "position")
  WHERE "position" IS NOT NULL AND "device_id" IS NOT NULL;

-- Numbers go on where they were when old events are removed. The lock of the resource is held until the transaction ends, so that
-- event n + 1 is never committed before event n.
CREATE OR REPLACE FUNCTION "number_event"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(NEW."resource_id", 7));
  SELECT 1 + greatest(
      (SELECT coalesce(max("sequence"), 0) FROM "events" WHERE "resource_id" = NEW."resource_id"),
      (SELECT coalesce(max("sequence"), 0) FROM "event_floors" WHERE "resource_id" = NEW."resource_id"))
    INTO NEW."sequence";
  RETURN NEW;
END
$$;

-- Wakes the relay when the transaction commits; once, however many events it has.
CREATE FUNCTION "tell_relay"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('event_appended', '');
  RETURN NULL;
END
$$;
CREATE TRIGGER "events_wake_the_relay" AFTER INSERT ON "events" FOR EACH STATEMENT EXECUTE FUNCTION "tell_relay"();
