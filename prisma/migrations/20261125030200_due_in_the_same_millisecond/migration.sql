-- Rounded to milliseconds, now() may lie in the future: what is due at once was not yet due for a worker that looked at once.
ALTER TABLE "webhook_deliveries" ALTER COLUMN "next_attempt_at" SET DEFAULT date_trunc('milliseconds', now());
ALTER TABLE "rule_runs" ALTER COLUMN "next_at" SET DEFAULT date_trunc('milliseconds', now());
