-- Which quota of a device was last told to be used up, so that it is told once.

-- AlterTable
ALTER TABLE "device_usage" ADD COLUMN     "quota_told" TEXT;
