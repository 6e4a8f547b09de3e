-- Which list it is: the same one again, most often, changes none of its serials.

-- AlterTable
ALTER TABLE "device_authorities" ADD COLUMN     "crl_digest" TEXT;
