-- Octets of devices by the day: a threshold of a tag looks at one row for each of its devices and days, not at each hour.

-- AlterTable
ALTER TABLE "usage_thresholds" ADD COLUMN     "check_ms" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "usage_daily" (
    "organization_id" TEXT NOT NULL,
    "device_id" TEXT NOT NULL,
    "day" TIMESTAMPTZ(3) NOT NULL,
    "bytes" BIGINT NOT NULL,

    CONSTRAINT "usage_daily_pkey" PRIMARY KEY ("organization_id","device_id","day")
);

-- CreateIndex
CREATE INDEX "usage_daily_day_idx" ON "usage_daily"("day");


-- What schema.prisma cannot say.
INSERT INTO "usage_daily" ("organization_id", "device_id", "day", "bytes")
SELECT "organization_id", "subject_id", date_trunc('day', "hour", 'UTC'), sum("bytes_in" + "bytes_out")
FROM "usage_hourly" WHERE "kind" = 'device' GROUP BY 1, 2, 3;
-- Rows are added to again and again within their day.
ALTER TABLE "usage_daily" SET (fillfactor = 80);
