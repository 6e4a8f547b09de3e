-- Automation rules, their runs, and what they changed.

-- CreateTable
CREATE TABLE "automation_rules" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "disabled_reason" TEXT,
    "event_types" TEXT[],
    "device_ids" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "device_tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "network_ids" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "during" JSONB,
    "actions" JSONB NOT NULL,
    "max_runs_per_hour" INTEGER NOT NULL,
    "maker_kind" TEXT NOT NULL,
    "maker_id" TEXT NOT NULL,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "automation_rules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rule_runs" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "rule_id" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "event" JSONB NOT NULL,
    "device_id" TEXT,
    "depth" INTEGER NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "reason" TEXT,
    "plan" JSONB,
    "steps" JSONB NOT NULL DEFAULT '[]',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "claim" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "rule_runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rule_effects" (
    "resource_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "organization_id" TEXT NOT NULL,
    "depth" INTEGER NOT NULL,

    CONSTRAINT "rule_effects_pkey" PRIMARY KEY ("resource_id","at")
);

-- CreateIndex
CREATE INDEX "automation_rules_organization_id_created_at_id_idx" ON "automation_rules"("organization_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "automation_rules_organization_id_id_key" ON "automation_rules"("organization_id", "id");

-- CreateIndex
CREATE INDEX "rule_runs_organization_id_rule_id_created_at_id_idx" ON "rule_runs"("organization_id", "rule_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "rule_runs_organization_id_started_at_idx" ON "rule_runs"("organization_id", "started_at");

-- CreateIndex
CREATE INDEX "rule_runs_finished_at_idx" ON "rule_runs"("finished_at");

-- CreateIndex
CREATE UNIQUE INDEX "rule_runs_rule_id_event_id_key" ON "rule_runs"("rule_id", "event_id");

-- CreateIndex
CREATE INDEX "rule_effects_at_idx" ON "rule_effects"("at");

-- AddForeignKey
ALTER TABLE "rule_runs" ADD CONSTRAINT "rule_runs_organization_id_rule_id_fkey" FOREIGN KEY ("organization_id", "rule_id") REFERENCES "automation_rules"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What schema.prisma cannot say.
ALTER TABLE "automation_rules" ADD CONSTRAINT "automation_rules_disabled" CHECK (("disabled_reason" IS NULL) = "enabled");
ALTER TABLE "automation_rules" ADD CONSTRAINT "automation_rules_maker" CHECK ("maker_kind" IN ('api_key', 'user'));
ALTER TABLE "rule_runs" ADD CONSTRAINT "rule_runs_state" CHECK ("state" IN ('pending', 'succeeded', 'failed', 'skipped'));
ALTER TABLE "rule_runs" ADD CONSTRAINT "rule_runs_finished" CHECK (("state" = 'pending') = ("finished_at" IS NULL));
-- The relay looks for rules of the organizations that events are of, the worker for runs that are due.
CREATE INDEX "automation_rules_enabled_idx" ON "automation_rules" ("organization_id") WHERE "enabled";
CREATE INDEX "rule_runs_due_idx" ON "rule_runs" ("next_at") WHERE "state" = 'pending';
