-- Work that takes longer than a call: the row is the truth, a worker holds it for a while and takes it further.

-- CreateTable
CREATE TABLE "operations" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "validate_only" BOOLEAN NOT NULL DEFAULT false,
    "request" JSONB NOT NULL,
    "created_by" JSONB NOT NULL,
    "total" INTEGER,
    "processed" INTEGER NOT NULL DEFAULT 0,
    "succeeded" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "checkpoint" JSONB NOT NULL DEFAULT '{}',
    "result" JSONB,
    "error" JSONB,
    "cancel_requested_at" TIMESTAMPTZ(3),
    "runner" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "turn_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "operations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operation_inputs" (
    "operation_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "organization_id" TEXT NOT NULL,
    "content" BYTEA NOT NULL,

    CONSTRAINT "operation_inputs_pkey" PRIMARY KEY ("operation_id","number")
);

-- CreateTable
CREATE TABLE "operation_faults" (
    "operation_id" TEXT NOT NULL,
    "row" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "organization_id" TEXT NOT NULL,
    "pointer" TEXT NOT NULL,
    "message" TEXT NOT NULL,

    CONSTRAINT "operation_faults_pkey" PRIMARY KEY ("operation_id","row","position")
);

-- CreateIndex
CREATE UNIQUE INDEX "operations_organization_id_id_key" ON "operations"("organization_id", "id");

-- CreateIndex
CREATE INDEX "operations_organization_id_created_at_id_idx" ON "operations"("organization_id", "created_at", "id");

-- AddForeignKey
ALTER TABLE "operations" ADD CONSTRAINT "operations_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "operation_inputs" ADD CONSTRAINT "operation_inputs_organization_id_operation_id_fkey" FOREIGN KEY ("organization_id", "operation_id") REFERENCES "operations"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "operation_faults" ADD CONSTRAINT "operation_faults_organization_id_operation_id_fkey" FOREIGN KEY ("organization_id", "operation_id") REFERENCES "operations"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What schema.prisma cannot say.
ALTER TABLE "operations" ADD CONSTRAINT "operations_state" CHECK ("state" IN
  ('receiving', 'waiting', 'running', 'succeeded', 'failed', 'cancelled'));
ALTER TABLE "operations" ADD CONSTRAINT "operations_end" CHECK
  (("state" IN ('succeeded', 'failed', 'cancelled')) = ("finished_at" IS NOT NULL)
   AND ("state" = 'succeeded') = ("result" IS NOT NULL) AND ("state" IN ('failed', 'cancelled')) = ("error" IS NOT NULL));
-- Workers look only at what is not finished.
CREATE INDEX "operations_unfinished_idx" ON "operations" ("turn_at") WHERE "state" IN ('receiving', 'waiting', 'running');
CREATE INDEX "operations_unfinished_of_organization_idx" ON "operations" ("organization_id", "created_at")
  WHERE "state" IN ('receiving', 'waiting', 'running');
CREATE INDEX "operations_finished_idx" ON "operations" ("finished_at") WHERE "finished_at" IS NOT NULL;
