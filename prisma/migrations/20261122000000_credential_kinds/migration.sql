-- Credential kinds, the signer's tables, proposal tiers, network settings, attach attempts.

-- AlterTable
ALTER TABLE "attachments" ADD COLUMN     "credential_id" TEXT;

-- AlterTable
ALTER TABLE "credentials" ADD COLUMN     "certificates" TEXT,
ADD COLUMN     "csr" BYTEA,
ADD COLUMN     "fingerprint" TEXT,
ADD COLUMN     "identity" TEXT,
ADD COLUMN     "is_required" BOOLEAN,
ADD COLUMN     "issuance" TEXT,
ADD COLUMN     "method" TEXT,
ADD COLUMN     "refusal" TEXT,
ADD COLUMN     "serial" TEXT,
ALTER COLUMN "sealed_secret" DROP NOT NULL,
ALTER COLUMN "sealing_key_id" DROP NOT NULL;

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "proposal_tiers" TEXT[];

-- AlterTable
ALTER TABLE "ike_sas" ADD COLUMN     "additional_key_exchanges" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "tier" TEXT;

-- AlterTable
ALTER TABLE "networks" ADD COLUMN     "dns_domains" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "dns_servers" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "proposal_tiers" TEXT[],
ADD COLUMN     "reauthenticate_after_sec" INTEGER,
ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "organizations" ADD COLUMN     "proposal_tiers" TEXT[],
ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "certificate_authorities" (
    "id" TEXT NOT NULL,
    "certificate" TEXT NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "crl" BYTEA,
    "crl_number" BIGINT NOT NULL DEFAULT 0,
    "crl_next_update" TIMESTAMPTZ(3),
    "crl_digest" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "certificate_authorities_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_certificates" (
    "concentrator_id" TEXT NOT NULL,
    "csr" BYTEA NOT NULL,
    "issuance" TEXT NOT NULL,
    "refusal" TEXT,
    "certificates" TEXT,
    "serial" TEXT,
    "fingerprint" TEXT,
    "not_after" TIMESTAMPTZ(3),
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gateway_certificates_pkey" PRIMARY KEY ("concentrator_id")
);

-- CreateTable
CREATE TABLE "revoked_certificates" (
    "serial" TEXT NOT NULL,
    "revoked_at" TIMESTAMPTZ(3) NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revoked_certificates_pkey" PRIMARY KEY ("serial")
);

-- CreateTable
CREATE TABLE "attach_attempts" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "device_id" TEXT,
    "concentrator_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "source_address" INET NOT NULL,
    "source_port" INTEGER NOT NULL,
    "stage" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "is_proven" BOOLEAN NOT NULL,
    "offered" JSONB,
    "nearest" JSONB,
    "matching_tier" TEXT,

    CONSTRAINT "attach_attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "outer_addresses" (
    "address" INET NOT NULL,
    "organization_id" TEXT NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "outer_addresses_pkey" PRIMARY KEY ("address","organization_id")
);

-- CreateIndex
CREATE INDEX "revoked_certificates_not_after_idx" ON "revoked_certificates"("not_after");

-- CreateIndex
CREATE INDEX "attach_attempts_organization_id_device_id_at_id_idx" ON "attach_attempts"("organization_id", "device_id", "at", "id");

-- CreateIndex
CREATE INDEX "attach_attempts_source_address_at_idx" ON "attach_attempts"("source_address", "at");

-- CreateIndex
CREATE INDEX "attach_attempts_at_idx" ON "attach_attempts"("at");

-- CreateIndex
CREATE INDEX "outer_addresses_last_seen_at_idx" ON "outer_addresses"("last_seen_at");

-- CreateIndex
CREATE INDEX "devices_organization_id_network_id_idx" ON "devices"("organization_id", "network_id");

-- CreateIndex
CREATE INDEX "devices_proposal_tiers_idx" ON "devices" USING GIN ("proposal_tiers");

-- CreateIndex
CREATE INDEX "networks_organization_id_created_at_id_idx" ON "networks"("organization_id", "created_at", "id");

-- AddForeignKey
ALTER TABLE "gateway_certificates" ADD CONSTRAINT "gateway_certificates_concentrator_id_fkey" FOREIGN KEY ("concentrator_id") REFERENCES "concentrators"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attach_attempts" ADD CONSTRAINT "attach_attempts_organization_id_device_id_fkey" FOREIGN KEY ("organization_id", "device_id") REFERENCES "devices"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What schema.prisma cannot say.

ALTER TABLE "credentials" DROP CONSTRAINT "credentials_kind";
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_kind" CHECK ("kind" IN ('psk', 'certificate', 'eap', 'ppk'));
-- A secret is sealed or there is none; only a certificate has none.
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_secret" CHECK
  (("sealed_secret" IS NULL) = ("kind" = 'certificate') AND ("sealing_key_id" IS NULL) = ("kind" = 'certificate'));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_eap" CHECK
  (("kind" = 'eap') = ("method" IS NOT NULL) AND "method" IN ('mschapv2'));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_identity" CHECK (("kind" IN ('eap', 'ppk')) = ("identity" IS NOT NULL));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_is_required" CHECK (("kind" = 'ppk') = ("is_required" IS NOT NULL));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_csr" CHECK
  (("kind" = 'certificate') = ("csr" IS NOT NULL) AND ("kind" = 'certificate') = ("issuance" IS NOT NULL));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_issuance" CHECK ("issuance" IN ('pending', 'issued', 'refused'));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_issued" CHECK ((coalesce("issuance", '') = 'issued') =
  ("certificates" IS NOT NULL AND "serial" IS NOT NULL AND "fingerprint" IS NOT NULL));
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_refused" CHECK
  ((coalesce("issuance", '') = 'refused') = ("refusal" IS NOT NULL) AND ("refusal" IS NULL OR "revoked_at" IS NOT NULL));

ALTER TABLE "gateway_certificates" ADD CONSTRAINT "gateway_certificates_issuance" CHECK ("issuance" IN ('pending', 'issued', 'refused'));
ALTER TABLE "gateway_certificates" ADD CONSTRAINT "gateway_certificates_issued" CHECK (("issuance" = 'issued') =
  ("certificates" IS NOT NULL AND "serial" IS NOT NULL AND "fingerprint" IS NOT NULL AND "not_after" IS NOT NULL));

ALTER TABLE "organizations" ADD CONSTRAINT "organizations_proposal_tiers" CHECK
  ("proposal_tiers" <@ ARRAY['modern', 'standard', 'compat'] AND cardinality("proposal_tiers") BETWEEN 1 AND 3);
ALTER TABLE "networks" ADD CONSTRAINT "networks_proposal_tiers" CHECK
  ("proposal_tiers" <@ ARRAY['modern', 'standard', 'compat'] AND cardinality("proposal_tiers") BETWEEN 1 AND 3);
ALTER TABLE "devices" ADD CONSTRAINT "devices_proposal_tiers" CHECK
  ("proposal_tiers" <@ ARRAY['modern', 'standard', 'compat'] AND cardinality("proposal_tiers") BETWEEN 1 AND 3);
ALTER TABLE "networks" ADD CONSTRAINT "networks_dns" CHECK (cardinality("dns_servers") <= 8 AND cardinality("dns_domains") <= 32);
ALTER TABLE "networks" ADD CONSTRAINT "networks_reauthenticate" CHECK ("reauthenticate_after_sec" BETWEEN 300 AND 31536000);

ALTER TABLE "ike_sas" ADD CONSTRAINT "ike_sas_tier" CHECK ("tier" IN ('modern', 'standard', 'compat'));

ALTER TABLE "attach_attempts" ADD CONSTRAINT "attach_attempts_stage" CHECK
  ("stage" IN ('init', 'intermediate', 'auth', 'eap', 'attach', 'resume'));
ALTER TABLE "attach_attempts" ADD CONSTRAINT "attach_attempts_tier" CHECK ("matching_tier" IN ('modern', 'standard', 'compat'));
ALTER TABLE "attach_attempts" ADD CONSTRAINT "attach_attempts_size" CHECK
  (length("detail") <= 500 AND pg_column_size("offered") <= 65536 AND pg_column_size("nearest") <= 16384);

-- The signer looks only at what is not decided.
CREATE INDEX "credentials_pending_idx" ON "credentials" ("created_at") WHERE "issuance" = 'pending';
