-- Grants: who may open tunnels without being allowed all of them, and who opened a tunnel by which grant.

-- AlterTable
ALTER TABLE "tunnels" ADD COLUMN     "grant_id" TEXT,
ADD COLUMN     "opened_by_id" TEXT,
ADD COLUMN     "opened_by_kind" TEXT;

-- CreateTable
CREATE TABLE "grants" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "member_id" TEXT,
    "api_key_id" TEXT,
    "any_tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "all_tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "ports" INTEGER[],
    "hosts" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by_kind" TEXT NOT NULL,
    "created_by_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "grants_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "grants_organization_id_created_at_id_idx" ON "grants"("organization_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "grants_organization_id_member_id_idx" ON "grants"("organization_id", "member_id");

-- CreateIndex
CREATE INDEX "grants_organization_id_api_key_id_idx" ON "grants"("organization_id", "api_key_id");

-- CreateIndex
CREATE UNIQUE INDEX "grants_organization_id_id_key" ON "grants"("organization_id", "id");

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_organization_id_member_id_fkey" FOREIGN KEY ("organization_id", "member_id") REFERENCES "memberships"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_organization_id_api_key_id_fkey" FOREIGN KEY ("organization_id", "api_key_id") REFERENCES "api_keys"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What schema.prisma cannot say.
ALTER TABLE "grants" ADD CONSTRAINT "grants_one_holder" CHECK (num_nonnulls("member_id", "api_key_id") = 1);
ALTER TABLE "grants" ADD CONSTRAINT "grants_names_devices" CHECK (cardinality("any_tags") + cardinality("all_tags") > 0);
CREATE INDEX "tunnels_of_grants_idx" ON "tunnels" ("organization_id", "grant_id") WHERE "grant_id" IS NOT NULL;
