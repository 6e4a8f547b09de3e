-- Lists that cost the same at any size: an index for each order, with the organization first, and none that has to be filtered.

-- DropIndex
DROP INDEX "devices_organization_id_created_at_id_idx";

-- DropIndex
DROP INDEX "devices_organization_id_network_id_idx";

-- DropIndex
DROP INDEX "devices_tags_idx";

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "name_key" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "device_tags" (
    "organization_id" TEXT NOT NULL,
    "tag" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "device_id" TEXT NOT NULL,

    CONSTRAINT "device_tags_pkey" PRIMARY KEY ("organization_id","tag","created_at","device_id")
);

-- CreateIndex
CREATE INDEX "devices_organization_id_network_id_created_at_id_idx" ON "devices"("organization_id", "network_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "attachments_organization_id_last_seen_at_device_id_idx" ON "attachments"("organization_id", "last_seen_at", "device_id");


-- What schema.prisma cannot say.

-- Prefixes are ranges: these texts are compared by their octets, whatever the locale of the database is.
ALTER TABLE "devices" ALTER COLUMN "name_key" TYPE TEXT COLLATE "C", ALTER COLUMN "iccid" TYPE TEXT COLLATE "C",
  ALTER COLUMN "imsi" TYPE TEXT COLLATE "C", ALTER COLUMN "imei" TYPE TEXT COLLATE "C";
ALTER TABLE "device_tags" ALTER COLUMN "tag" TYPE TEXT COLLATE "C";

CREATE FUNCTION "set_name_key"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.name_key := lower(NEW.name);
  RETURN NEW;
END
$$;
CREATE TRIGGER "devices_have_a_name_key" BEFORE INSERT OR UPDATE OF "name" ON "devices"
  FOR EACH ROW EXECUTE FUNCTION "set_name_key"();
UPDATE "devices" SET "name_key" = lower("name");

CREATE INDEX "devices_by_created" ON "devices" ("organization_id", "created_at", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX "devices_by_name" ON "devices" ("organization_id", "name_key", "id") WHERE "deleted_at" IS NULL;
CREATE INDEX "devices_by_imsi" ON "devices" ("organization_id", "imsi", "id") WHERE "deleted_at" IS NULL AND "imsi" IS NOT NULL;
CREATE INDEX "devices_by_imei" ON "devices" ("organization_id", "imei", "id") WHERE "deleted_at" IS NULL AND "imei" IS NOT NULL;
CREATE INDEX "devices_deleted" ON "devices" ("deleted_at") WHERE "deleted_at" IS NOT NULL;
CREATE INDEX "attachments_online" ON "attachments" ("organization_id", "device_id") WHERE "state" = 'attached';

-- A row for each tag of each device that is not deleted, whoever writes the device.
CREATE FUNCTION "index_tags"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO device_tags SELECT n.organization_id, t.tag, n.created_at, n.id
      FROM new_rows n, unnest(n.tags) AS t(tag) WHERE n.deleted_at IS NULL ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'DELETE' THEN
    DELETE FROM device_tags i USING old_rows o, unnest(o.tags) AS t(tag)
      WHERE i.organization_id = o.organization_id AND i.tag = t.tag AND i.created_at = o.created_at AND i.device_id = o.id;
  ELSE
    DELETE FROM device_tags i USING old_rows o JOIN new_rows n ON n.id = o.id, unnest(o.tags) AS t(tag)
      WHERE (o.tags, o.created_at, o.deleted_at IS NULL) IS DISTINCT FROM (n.tags, n.created_at, n.deleted_at IS NULL)
        AND i.organization_id = o.organization_id AND i.tag = t.tag AND i.created_at = o.created_at AND i.device_id = o.id;
    INSERT INTO device_tags SELECT n.organization_id, t.tag, n.created_at, n.id
      FROM new_rows n JOIN old_rows o ON o.id = n.id, unnest(n.tags) AS t(tag)
      WHERE (o.tags, o.created_at, o.deleted_at IS NULL) IS DISTINCT FROM (n.tags, n.created_at, n.deleted_at IS NULL)
        AND n.deleted_at IS NULL ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER "devices_tags_inserted" AFTER INSERT ON "devices" REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "index_tags"();
CREATE TRIGGER "devices_tags_updated" AFTER UPDATE ON "devices" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "index_tags"();
CREATE TRIGGER "devices_tags_deleted" AFTER DELETE ON "devices" REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "index_tags"();
INSERT INTO "device_tags" SELECT d."organization_id", t."tag", d."created_at", d."id"
  FROM "devices" d, unnest(d."tags") AS t("tag") WHERE d."deleted_at" IS NULL ON CONFLICT DO NOTHING;

-- The first event of a new resource says that it is the first: nobody else can have written one, so nothing is to be locked or
-- counted, which a hundred thousand at once feel.
DROP TRIGGER "events_are_numbered" ON "events";
CREATE TRIGGER "events_are_numbered" BEFORE INSERT ON "events" FOR EACH ROW WHEN (NEW."sequence" = 0)
  EXECUTE FUNCTION "number_event"();
