-- What schema.prisma cannot say.

-- Invitations that are good and wait for who has this address: none that is locked.
CREATE OR REPLACE FUNCTION "invitations_for"("address" text) RETURNS TABLE("organization_id" text, "id" text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT m.organization_id, m.id FROM memberships m
  WHERE m.email = address AND m.user_id IS NULL AND m.locked_at IS NULL AND m.invitation_expires_at > now()
  ORDER BY m.created_at, m.id LIMIT 100
$$;
