-- Questions about a person that cannot be answered out of the rows of one organization: each is a function of the owner that
-- tells as little as will do.

-- RenameColumn
ALTER TABLE "sessions" RENAME COLUMN "organization_id" TO "chosen_organization_id";

-- RenameColumn
ALTER TABLE "sessions" RENAME COLUMN "refresh_hash" TO "refresh_secret_hash";


-- What schema.prisma cannot say.

-- Who logs in is known by the identity provider, and only afterwards the organizations.
CREATE FUNCTION "organizations_of_user"("person" text) RETURNS TABLE("organization_id" text, "role" text, "joined_at" timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT m.organization_id, m.role, m.created_at FROM memberships m WHERE m.user_id = person ORDER BY m.created_at, m.id
$$;

-- Invitations that are good and wait for who has this address.
CREATE FUNCTION "invitations_for"("address" text) RETURNS TABLE("organization_id" text, "id" text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT m.organization_id, m.id FROM memberships m
  WHERE m.email = address AND m.user_id IS NULL AND m.invitation_expires_at > now() ORDER BY m.created_at, m.id LIMIT 100
$$;
