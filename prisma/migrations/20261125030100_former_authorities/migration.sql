-- Credentials of an authority that is deleted stay, as others do that are revoked.

-- AlterTable
ALTER TABLE "credentials" ADD COLUMN     "former_authority_id" TEXT;


-- What schema.prisma cannot say.

-- What another authority made is known by its serials; it has that authority, or is revoked and had it.
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_csr";
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_csr" CHECK
  (("kind" = 'certificate' AND "path_serials" IS NULL) = ("csr" IS NOT NULL)
    AND ("kind" = 'certificate' AND "path_serials" IS NULL) = ("issuance" IS NOT NULL));
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_authority";
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_authority" CHECK
  (CASE WHEN "path_serials" IS NULL THEN "authority_id" IS NULL AND "former_authority_id" IS NULL
    ELSE "kind" = 'certificate' AND "certificates" IS NOT NULL AND "fingerprint" IS NOT NULL AND "expires_at" IS NOT NULL
      AND "serial" IS NULL AND cardinality("path_serials") BETWEEN 1 AND 4
      AND ("authority_id" IS NULL) = ("former_authority_id" IS NOT NULL)
      AND ("former_authority_id" IS NULL OR "revoked_at" IS NOT NULL) END);
