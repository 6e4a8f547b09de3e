-- What schema.prisma cannot say.

-- The chain of a credential of another authority is forgotten when it is over; its fingerprint and serials say which one it was.
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_authority";
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_authority" CHECK
  (CASE WHEN "path_serials" IS NULL THEN "authority_id" IS NULL AND "former_authority_id" IS NULL
    ELSE "kind" = 'certificate' AND "fingerprint" IS NOT NULL AND "expires_at" IS NOT NULL
      AND "serial" IS NULL AND cardinality("path_serials") BETWEEN 1 AND 4
      AND ("authority_id" IS NULL) = ("former_authority_id" IS NOT NULL)
      AND ("former_authority_id" IS NULL OR "revoked_at" IS NOT NULL) END);
CREATE INDEX "credentials_foreign_chain_idx" ON "credentials" (least("revoked_at", "expires_at"))
  WHERE "path_serials" IS NOT NULL AND "certificates" IS NOT NULL;
