-- Links that give a configuration with its secret once: what the database has opens with the link alone.

-- CreateTable
CREATE TABLE "config_links" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "device_id" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "ciphertext" BYTEA,
    "target" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "config_links_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "config_links_organization_id_token_hash_key" ON "config_links"("organization_id", "token_hash");

-- CreateIndex
CREATE INDEX "config_links_organization_id_device_id_idx" ON "config_links"("organization_id", "device_id");

-- CreateIndex
CREATE INDEX "config_links_expires_at_idx" ON "config_links"("expires_at");

-- AddForeignKey
ALTER TABLE "config_links" ADD CONSTRAINT "config_links_organization_id_device_id_fkey" FOREIGN KEY ("organization_id", "device_id") REFERENCES "devices"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What schema.prisma cannot say.
ALTER TABLE "config_links" ADD CONSTRAINT "config_links_sizes" CHECK
  (octet_length("token_hash") = 32 AND octet_length("ciphertext") BETWEEN 28 AND 262144);
-- What was given is gone.
ALTER TABLE "config_links" ADD CONSTRAINT "config_links_used" CHECK (("used_at" IS NULL) = ("ciphertext" IS NOT NULL));
