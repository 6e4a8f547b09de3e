-- LANs behind devices, and the synthetic addresses under which hosts on them are dialed.

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "lan_prefixes" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "tunnel_ports" ADD COLUMN     "device_host" INET;

-- CreateTable
CREATE TABLE "host_mappings" (
    "concentrator_id" TEXT NOT NULL,
    "device_id" TEXT NOT NULL,
    "host" INET NOT NULL,
    "organization_id" TEXT NOT NULL,
    "synthetic4" INET,
    "failure" TEXT,
    "freed_at" TIMESTAMPTZ(3),

    CONSTRAINT "host_mappings_pkey" PRIMARY KEY ("concentrator_id","device_id","host")
);

-- CreateIndex
CREATE INDEX "host_mappings_organization_id_device_id_idx" ON "host_mappings"("organization_id", "device_id");

-- AddForeignKey
ALTER TABLE "host_mappings" ADD CONSTRAINT "host_mappings_concentrator_id_fkey" FOREIGN KEY ("concentrator_id") REFERENCES "concentrators"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "host_mappings" ADD CONSTRAINT "host_mappings_organization_id_device_id_fkey" FOREIGN KEY ("organization_id", "device_id") REFERENCES "devices"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What schema.prisma cannot say.
ALTER TABLE "devices" ADD CONSTRAINT "devices_lan_prefixes" CHECK (cardinality("lan_prefixes") <= 16);
ALTER TABLE "tunnel_ports" ADD CONSTRAINT "tunnel_ports_device_host_is_a_host"
  CHECK (family("device_host") = 4 AND masklen("device_host") = 32);
ALTER TABLE "host_mappings" ADD CONSTRAINT "host_mappings_host_is_a_host" CHECK (family("host") = 4 AND masklen("host") = 32);
ALTER TABLE "host_mappings" ADD CONSTRAINT "host_mappings_synthetic"
  CHECK ("synthetic4" << '198.18.0.0/15' AND masklen("synthetic4") = 32);
ALTER TABLE "host_mappings" ADD CONSTRAINT "host_mappings_address_or_failure" CHECK (("synthetic4" IS NULL) = ("failure" IS NOT NULL));
-- An address is given out once on its node; one that rests may be given out again before its row is gone.
CREATE UNIQUE INDEX "host_mappings_synthetic_key" ON "host_mappings" ("concentrator_id", "synthetic4") WHERE "freed_at" IS NULL;
CREATE INDEX "tunnel_ports_hosts_idx" ON "tunnel_ports" ("organization_id", "tunnel_id") WHERE "device_host" IS NOT NULL AND "desired" = 'listen';
