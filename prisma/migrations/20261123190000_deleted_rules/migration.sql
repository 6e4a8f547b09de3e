-- A rule that is deleted is marked at once and goes later, when the worker has removed its runs in batches.

-- AlterTable
ALTER TABLE "automation_rules" ADD COLUMN     "deleted_at" TIMESTAMPTZ(3);


-- What schema.prisma cannot say.
ALTER TABLE "automation_rules" ADD CONSTRAINT "automation_rules_deleted" CHECK ("deleted_at" IS NULL OR NOT "enabled");
-- The worker goes from organization to organization, and finds what is due of each.
CREATE INDEX "rule_runs_due_of_organization_idx" ON "rule_runs" ("organization_id", "next_at") WHERE "state" = 'pending';
DROP INDEX "rule_runs_due_idx";
