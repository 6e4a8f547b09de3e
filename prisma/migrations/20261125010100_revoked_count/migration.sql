-- A list of revoked certificates may have tens of thousands of serials: who shows how many does not read them.

-- AlterTable
ALTER TABLE "device_authorities" ADD COLUMN     "revoked_count" INTEGER NOT NULL DEFAULT 0;
