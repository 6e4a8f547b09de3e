-- SSH keys of people and automations.

-- CreateTable
CREATE TABLE "ssh_keys" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "member_id" TEXT,
    "api_key_id" TEXT,
    "key_type" TEXT NOT NULL,
    "bits" INTEGER NOT NULL,
    "public_key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "comment" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "last_used_address" INET,
    "created_by_kind" TEXT NOT NULL,
    "created_by_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ssh_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "ssh_keys_organization_id_created_at_id_idx" ON "ssh_keys"("organization_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "ssh_keys_organization_id_member_id_idx" ON "ssh_keys"("organization_id", "member_id");

-- CreateIndex
CREATE INDEX "ssh_keys_organization_id_api_key_id_idx" ON "ssh_keys"("organization_id", "api_key_id");

-- CreateIndex
CREATE UNIQUE INDEX "ssh_keys_organization_id_id_key" ON "ssh_keys"("organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "ssh_keys_organization_id_fingerprint_key" ON "ssh_keys"("organization_id", "fingerprint");

-- AddForeignKey
ALTER TABLE "ssh_keys" ADD CONSTRAINT "ssh_keys_organization_id_member_id_fkey" FOREIGN KEY ("organization_id", "member_id") REFERENCES "memberships"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ssh_keys" ADD CONSTRAINT "ssh_keys_organization_id_api_key_id_fkey" FOREIGN KEY ("organization_id", "api_key_id") REFERENCES "api_keys"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What schema.prisma cannot say.
ALTER TABLE "ssh_keys" ADD CONSTRAINT "ssh_keys_one_owner" CHECK (num_nonnulls("member_id", "api_key_id") = 1);
-- Whatever happens before: never a private one.
ALTER TABLE "ssh_keys" ADD CONSTRAINT "ssh_keys_public" CHECK ("public_key" ~ '^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$' AND "public_key" !~ '^\S+ b3BlbnNzaC1r');
