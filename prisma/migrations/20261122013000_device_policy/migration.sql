-- What holds for one device or tunnel: rates, quotas, whom a device may reach.

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "quota" JSONB,
ADD COLUMN     "rate_limit" JSONB;

-- AlterTable
ALTER TABLE "networks" ADD COLUMN     "device_to_device" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "tunnels" ADD COLUMN     "max_bytes" BIGINT,
ADD COLUMN     "rate_limit" JSONB;

-- CreateTable
CREATE TABLE "device_usage" (
    "device_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "day_bytes" BIGINT NOT NULL,
    "month" DATE NOT NULL,
    "month_bytes" BIGINT NOT NULL,
    "total_bytes" BIGINT NOT NULL,

    CONSTRAINT "device_usage_pkey" PRIMARY KEY ("device_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "device_usage_organization_id_device_id_key" ON "device_usage"("organization_id", "device_id");

-- AddForeignKey
ALTER TABLE "device_usage" ADD CONSTRAINT "device_usage_organization_id_device_id_fkey" FOREIGN KEY ("organization_id", "device_id") REFERENCES "devices"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
