-- Rates of devices that say nothing themselves.

-- AlterTable
ALTER TABLE "networks" ADD COLUMN     "rate_limit" JSONB;
