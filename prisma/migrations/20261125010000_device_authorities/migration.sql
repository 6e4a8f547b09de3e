-- Certificate authorities of organizations, and credentials that are certificates of them.

-- AlterTable
ALTER TABLE "credentials" ADD COLUMN     "authority_id" TEXT,
ADD COLUMN     "path_serials" TEXT[];

-- CreateTable
CREATE TABLE "device_authorities" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "certificate" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "revocation" TEXT NOT NULL DEFAULT 'off',
    "crl_url" TEXT,
    "crl_number" TEXT,
    "crl_this_update" TIMESTAMPTZ(3),
    "crl_next_update" TIMESTAMPTZ(3),
    "crl_fetched_at" TIMESTAMPTZ(3),
    "crl_fault" TEXT,
    "crl_due_at" TIMESTAMPTZ(3),
    "revoked_serials" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "device_authorities_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "device_authorities_organization_id_created_at_id_idx" ON "device_authorities"("organization_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "device_authorities_crl_due_at_idx" ON "device_authorities"("crl_due_at");

-- CreateIndex
CREATE UNIQUE INDEX "device_authorities_organization_id_id_key" ON "device_authorities"("organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "device_authorities_organization_id_fingerprint_key" ON "device_authorities"("organization_id", "fingerprint");

-- AddForeignKey
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_organization_id_authority_id_fkey" FOREIGN KEY ("organization_id", "authority_id") REFERENCES "device_authorities"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_authorities" ADD CONSTRAINT "device_authorities_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;


-- What schema.prisma cannot say.

ALTER TABLE "device_authorities" ADD CONSTRAINT "device_authorities_revocation" CHECK
  ("revocation" IN ('off', 'soft', 'hard') AND ("revocation" = 'off') = ("crl_url" IS NULL) AND ("revocation" = 'off') = ("crl_due_at" IS NULL));
-- Whatever happens before: never a private key.
ALTER TABLE "device_authorities" ADD CONSTRAINT "device_authorities_public" CHECK
  ("certificate" LIKE '-----BEGIN CERTIFICATE-----%' AND "certificate" !~ 'PRIVATE KEY');

-- What the signer makes has a request; what another authority made has that one, and never a serial among ours.
ALTER TABLE "credentials" DROP CONSTRAINT "credentials_csr";
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_csr" CHECK
  (("kind" = 'certificate' AND "authority_id" IS NULL) = ("csr" IS NOT NULL)
    AND ("kind" = 'certificate' AND "authority_id" IS NULL) = ("issuance" IS NOT NULL));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_authority" CHECK
  (CASE WHEN "authority_id" IS NULL THEN "path_serials" IS NULL
    ELSE "kind" = 'certificate' AND "certificates" IS NOT NULL AND "fingerprint" IS NOT NULL AND "expires_at" IS NOT NULL
      AND "serial" IS NULL AND "path_serials" IS NOT NULL AND cardinality("path_serials") BETWEEN 1 AND 4 END);

-- One certificate is one device's.
CREATE UNIQUE INDEX "credentials_foreign_certificate_key" ON "credentials" ("organization_id", "fingerprint")
  WHERE "authority_id" IS NOT NULL AND "revoked_at" IS NULL;
-- What goes with an authority, and what its list names.
CREATE INDEX "credentials_authority_idx" ON "credentials" ("organization_id", "authority_id") WHERE "authority_id" IS NOT NULL;
