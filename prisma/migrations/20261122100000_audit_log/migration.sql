-- Audit log: who did what, chained by hashes for each organization.

-- CreateTable
CREATE TABLE "audit_log" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "sequence" BIGINT,
    "at" TIMESTAMPTZ(3),
    "actor_kind" TEXT NOT NULL,
    "actor_id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target_type" TEXT NOT NULL,
    "target_id" TEXT NOT NULL,
    "entry" TEXT NOT NULL,
    "previous_hash" BYTEA,
    "hash" BYTEA,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_heads" (
    "organization_id" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "hash" BYTEA NOT NULL,

    CONSTRAINT "audit_heads_pkey" PRIMARY KEY ("organization_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "audit_log_organization_id_sequence_key" ON "audit_log"("organization_id", "sequence");

-- CreateIndex
CREATE INDEX "audit_log_organization_id_at_idx" ON "audit_log"("organization_id", "at");

-- CreateIndex
CREATE INDEX "audit_log_organization_id_actor_id_sequence_idx" ON "audit_log"("organization_id", "actor_id", "sequence");

-- CreateIndex
CREATE INDEX "audit_log_organization_id_target_id_sequence_idx" ON "audit_log"("organization_id", "target_id", "sequence");

-- CreateIndex
CREATE INDEX "audit_log_organization_id_action_sequence_idx" ON "audit_log"("organization_id", "action", "sequence");


-- What schema.prisma cannot say.

ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_actor_kind" CHECK ("actor_kind" IN ('api_key', 'user', 'system'));
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_entry_size" CHECK (octet_length("entry") <= 65536);
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_chained" CHECK
  (num_nulls("sequence", "at", "previous_hash", "hash") IN (0, 4) AND "sequence" > 0
    AND octet_length("hash") = 32 AND octet_length("previous_hash") = 32);
-- Only the rows of transactions that have not committed yet are without their place in the chain.
CREATE INDEX "audit_log_unchained_idx" ON "audit_log" ("organization_id") WHERE "sequence" IS NULL;

-- SHA-256 over the canonical JSON (RFC 8785) of an entry in its place.
CREATE FUNCTION "audit_hash"("previous" bytea, "number" bigint, "moment" timestamptz, "entry" text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT sha256(convert_to('{"at":"' || to_char("moment" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') ||
    '","entry":' || "entry" || ',"previous":"' || encode("previous", 'hex') || '","sequence":' || "number" || '}', 'UTF8'))
$$;

-- Gives the entries of this transaction their places. It runs when the transaction commits, after all else: the lock on the
-- head of the chain is the last one taken and is held for no longer than the commit itself.
CREATE FUNCTION "chain_audit"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  head audit_heads;
  place bigint;
  written record;
  chained bytea;
BEGIN
  -- The first of many entries has taken the others along.
  SELECT sequence INTO place FROM audit_log WHERE id = NEW.id;
  IF place IS NOT NULL THEN RETURN NULL; END IF;
  SELECT * INTO head FROM audit_heads WHERE organization_id = NEW.organization_id FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO audit_heads VALUES (NEW.organization_id, 0, '-infinity', decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM audit_heads WHERE organization_id = NEW.organization_id FOR UPDATE;
  END IF;
  -- Time never runs backwards along the chain.
  head.at := greatest(head.at, clock_timestamp()::timestamptz(3));
  -- In order of the statements that wrote them.
  FOR written IN SELECT id, entry FROM audit_log WHERE organization_id = NEW.organization_id AND sequence IS NULL
    ORDER BY cmin::text::bigint, id LOOP
    head.sequence := head.sequence + 1;
    chained := audit_hash(head.hash, head.sequence, head.at, written.entry);
    UPDATE audit_log SET sequence = head.sequence, at = head.at, previous_hash = head.hash, hash = chained WHERE id = written.id;
    head.hash := chained;
  END LOOP;
  UPDATE audit_heads SET sequence = head.sequence, at = head.at, hash = head.hash WHERE organization_id = NEW.organization_id;
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER "audit_log_is_chained" AFTER INSERT ON "audit_log" DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION "chain_audit"();

CREATE FUNCTION "keep_audit"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND num_nonnulls(NEW.sequence, NEW.at, NEW.previous_hash, NEW.hash) = 0 THEN RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
    AND (NEW.id, NEW.organization_id, NEW.actor_kind, NEW.actor_id, NEW.action, NEW.target_type, NEW.target_id, NEW.entry)
      = (OLD.id, OLD.organization_id, OLD.actor_kind, OLD.actor_id, OLD.action, OLD.target_type, OLD.target_id, OLD.entry)
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'the audit log is only appended to' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER "audit_log_is_kept" BEFORE INSERT OR UPDATE OR DELETE ON "audit_log" FOR EACH ROW EXECUTE FUNCTION "keep_audit"();
CREATE TRIGGER "audit_log_is_not_emptied" BEFORE TRUNCATE ON "audit_log" FOR EACH STATEMENT EXECUTE FUNCTION "keep_audit"();
