-- IPv6 inside tunnels: a pool beside the IPv4 one, an address beside each IPv4 address.
-- A network has no IPv6 pool until the API gives it one: where pools come from is a setting.

-- AlterTable
ALTER TABLE "networks" ADD COLUMN     "pool6" INET;

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "address6" INET;

-- AlterTable
ALTER TABLE "concentrators" ADD COLUMN     "dial_address6" TEXT;

-- AlterTable
ALTER TABLE "attachments" ADD COLUMN     "address6" INET,
ALTER COLUMN "address4" DROP NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "devices_address6_key" ON "devices"("address6");

ALTER TABLE "networks" ADD CONSTRAINT "networks_pools6_never_overlap" EXCLUDE USING gist ("pool6" inet_ops WITH &&);
-- 64 bits for hosts at least: a device has the host number of its IPv4 address.
ALTER TABLE "networks" ADD CONSTRAINT "networks_pool6_is_a_network"
  CHECK (family("pool6") = 6 AND masklen("pool6") BETWEEN 16 AND 64 AND host("pool6") = host(network("pool6")));
ALTER TABLE "devices" ADD CONSTRAINT "devices_address6_is_a_host" CHECK (family("address6") = 6 AND masklen("address6") = 128);
