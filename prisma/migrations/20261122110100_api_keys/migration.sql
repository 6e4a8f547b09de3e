-- API keys as a resource: where they may be used from, two secrets while one follows the other, who made them.

-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN     "allowed_from" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "created_by_id" TEXT,
ADD COLUMN     "created_by_kind" TEXT,
ADD COLUMN     "former_secret_hash" BYTEA,
ADD COLUMN     "former_secret_until" TIMESTAMPTZ(3),
ADD COLUMN     "last_used_address" INET,
ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- DropIndex
DROP INDEX "api_keys_organization_id_idx";

-- CreateIndex
CREATE INDEX "api_keys_organization_id_created_at_id_idx" ON "api_keys"("organization_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_organization_id_id_key" ON "api_keys"("organization_id", "id");


-- What schema.prisma cannot say.
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_allowed_from" CHECK (cardinality("allowed_from") <= 32);
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_former_secret" CHECK (("former_secret_hash" IS NULL) = ("former_secret_until" IS NULL));
