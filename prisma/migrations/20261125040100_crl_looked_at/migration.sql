-- When a list was asked for last, whatever came of it: who changes where it lies has it asked for again, and not without end.

-- AlterTable
ALTER TABLE "device_authorities" ADD COLUMN     "crl_looked_at" TIMESTAMPTZ(3);
