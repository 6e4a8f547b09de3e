-- Lists of tunnels and connections in bounded time by what they are chosen by, and members that are kept out or signed out.

-- DropIndex
DROP INDEX "tunnels_organization_id_device_id_idx";

-- AlterTable
ALTER TABLE "connections" ADD COLUMN     "device_id" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "memberships" ADD COLUMN     "locked_at" TIMESTAMPTZ(3),
ADD COLUMN     "signed_out_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "connections_organization_id_device_id_opened_at_id_idx" ON "connections"("organization_id", "device_id", "opened_at", "id");

-- CreateIndex
CREATE INDEX "tunnels_organization_id_device_id_created_at_id_idx" ON "tunnels"("organization_id", "device_id", "created_at", "id");


-- What schema.prisma cannot say.

-- The access log of a device: whoever writes a connection, it is that of its tunnel.
CREATE FUNCTION "set_device_of_connection"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  NEW.device_id := coalesce((SELECT t.device_id FROM tunnels t WHERE t.organization_id = NEW.organization_id AND t.id = NEW.tunnel_id), '');
  RETURN NEW;
END
$$;
CREATE TRIGGER "connections_have_a_device" BEFORE INSERT ON "connections"
  FOR EACH ROW EXECUTE FUNCTION "set_device_of_connection"();
UPDATE "connections" c SET "device_id" = t."device_id" FROM "tunnels" t
  WHERE t."organization_id" = c."organization_id" AND t."id" = c."tunnel_id";

DROP INDEX "tunnels_of_grants_idx";
CREATE INDEX "tunnels_of_grants_idx" ON "tunnels" ("organization_id", "grant_id", "created_at", "id") WHERE "grant_id" IS NOT NULL;
CREATE INDEX "tunnels_active_by_created" ON "tunnels" ("organization_id", "created_at", "id")
  WHERE "state" IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining');
CREATE INDEX "tunnels_active_by_expiry" ON "tunnels" ("organization_id", "expires_at", "id")
  WHERE "state" IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining');

-- Where a person gets in: not where it is locked out.
CREATE OR REPLACE FUNCTION "organizations_of_user"("person" text) RETURNS TABLE("organization_id" text, "role" text, "joined_at" timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT m.organization_id, m.role, m.created_at FROM memberships m
  WHERE m.user_id = person AND m.locked_at IS NULL ORDER BY m.created_at, m.id
$$;

-- And of those, where a session is good that began then: not where the person was signed out since.
CREATE FUNCTION "organizations_of_session"("person" text, "began" timestamptz) RETURNS TABLE("organization_id" text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT m.organization_id FROM memberships m
  WHERE m.user_id = person AND m.locked_at IS NULL AND (m.signed_out_at IS NULL OR m.signed_out_at < began) ORDER BY m.created_at, m.id
$$;
