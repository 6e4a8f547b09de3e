-- Usage by the hour: triggers note what every counter grew by, in the transaction that wrote it; the worker adds the notes up.

-- AlterTable
ALTER TABLE "attachments" ADD COLUMN     "usage_until" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "usage_deltas" (
    "id" BIGSERIAL NOT NULL,
    "organization_id" TEXT NOT NULL,
    "device_id" TEXT NOT NULL,
    "tunnel_id" TEXT,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "bytes_in" BIGINT NOT NULL DEFAULT 0,
    "bytes_out" BIGINT NOT NULL DEFAULT 0,
    "packets_in" BIGINT NOT NULL DEFAULT 0,
    "packets_out" BIGINT NOT NULL DEFAULT 0,
    "attached_ms" BIGINT NOT NULL DEFAULT 0,
    "tunnels_opened" INTEGER NOT NULL DEFAULT 0,
    "connections" INTEGER NOT NULL DEFAULT 0,
    "denied" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "usage_deltas_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "usage_hourly" (
    "organization_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "device_id" TEXT,
    "bytes_in" BIGINT NOT NULL,
    "bytes_out" BIGINT NOT NULL,
    "packets_in" BIGINT NOT NULL,
    "packets_out" BIGINT NOT NULL,
    "attached_ms" BIGINT NOT NULL,
    "tunnels_opened" INTEGER NOT NULL,
    "connections" INTEGER NOT NULL,
    "denied" INTEGER NOT NULL,

    CONSTRAINT "usage_hourly_pkey" PRIMARY KEY ("organization_id","kind","subject_id","hour")
);

-- CreateTable
CREATE TABLE "usage_thresholds" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "device_id" TEXT,
    "tag" TEXT,
    "bytes" BIGINT NOT NULL,
    "period" TEXT NOT NULL,
    "percents" INTEGER[],
    "told_percent" INTEGER,
    "told_period" TIMESTAMPTZ(3),
    "checked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "usage_thresholds_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "usage_hourly_hour_idx" ON "usage_hourly"("hour");

-- CreateIndex
CREATE INDEX "usage_thresholds_organization_id_created_at_id_idx" ON "usage_thresholds"("organization_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "usage_thresholds_checked_at_idx" ON "usage_thresholds"("checked_at");

-- CreateIndex
CREATE UNIQUE INDEX "usage_thresholds_organization_id_id_key" ON "usage_thresholds"("organization_id", "id");


-- What schema.prisma cannot say.
ALTER TABLE "usage_hourly" ADD CONSTRAINT "usage_hourly_kind" CHECK ("kind" IN ('device', 'tunnel', 'organization'));
ALTER TABLE "usage_thresholds" ADD CONSTRAINT "usage_thresholds_period" CHECK ("period" IN ('day', 'month'));
ALTER TABLE "usage_thresholds" ADD CONSTRAINT "usage_thresholds_one_scope" CHECK (num_nonnulls("device_id", "tag") <= 1);
ALTER TABLE "usage_thresholds" ADD CONSTRAINT "usage_thresholds_bytes" CHECK ("bytes" > 0);
ALTER TABLE "usage_thresholds" ADD CONSTRAINT "usage_thresholds_percents" CHECK (cardinality("percents") BETWEEN 1 AND 8);
-- Rows are added to again and again within their hour.
ALTER TABLE "usage_hourly" SET (fillfactor = 80);
-- Presences in the order in which their time is due to be counted.
CREATE INDEX "attachments_usage_due" ON "attachments" (greatest("usage_until", "attached_at")) WHERE "state" = 'attached';

-- What is told late belongs to its hour, but neither to the future nor to a time long gone: nodes have clocks of their own.
CREATE FUNCTION "usage_hour"("moment" timestamptz) RETURNS timestamptz LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT date_trunc('hour', least(greatest("moment", now() - interval '31 days'), now()), 'UTC')
$$;

-- Notes the time from one moment to another, hour by hour; backwards it takes away.
CREATE FUNCTION "note_attached"("organization" text, "device" text, "since" timestamptz, "until" timestamptz) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
  INSERT INTO usage_deltas (organization_id, device_id, hour, attached_ms)
  SELECT "organization", "device", h, sign * round(extract(epoch FROM least(h + interval '1 hour', last) - greatest(h, first)) * 1000)
  FROM (SELECT greatest(least("since", "until"), now() - interval '31 days') AS first, least(greatest("since", "until"), now()) AS last,
          CASE WHEN "since" <= "until" THEN 1 ELSE -1 END AS sign) AS span,
    generate_series(date_trunc('hour', first, 'UTC'), last, interval '1 hour') AS h
  WHERE first < last AND greatest(h, first) < least(h + interval '1 hour', last)
$$;

-- A presence ends, or another one takes its place: what was not counted of it yet, less what was counted beyond its end.
CREATE FUNCTION "note_presence_end"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM note_attached(OLD.organization_id, OLD.device_id, greatest(OLD.usage_until, OLD.attached_at), greatest(OLD.attached_at,
    CASE WHEN NEW.state = 'attached' THEN NEW.attached_at ELSE coalesce(NEW.detached_at, now()) END));
  NEW.usage_until := NULL;
  RETURN NEW;
END
$$;
CREATE TRIGGER "attachments_usage" BEFORE UPDATE ON "attachments" FOR EACH ROW
  WHEN (OLD."state" = 'attached' AND (NEW."state" <> 'attached' OR NEW."attached_at" <> OLD."attached_at"))
  EXECUTE FUNCTION "note_presence_end"();

-- When one counter is smaller than before, all began anew: the SA was resumed by another process.
CREATE FUNCTION "note_child_sas"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO usage_deltas (organization_id, device_id, hour, bytes_in, bytes_out, packets_in, packets_out)
  SELECT n.organization_id, n.device_id, usage_hour(n.counted_at), sum(n.bytes_in - s.kept * o.bytes_in),
    sum(n.bytes_out - s.kept * o.bytes_out), sum(n.packets_in - s.kept * o.packets_in), sum(n.packets_out - s.kept * o.packets_out)
  FROM new_rows n JOIN old_rows o ON o.ike_sa_id = n.ike_sa_id AND o.spi_in = n.spi_in
    CROSS JOIN LATERAL (SELECT CASE WHEN n.bytes_in < o.bytes_in OR n.bytes_out < o.bytes_out
      OR n.packets_in < o.packets_in OR n.packets_out < o.packets_out THEN 0 ELSE 1 END AS kept) s
  WHERE (o.bytes_in, o.bytes_out, o.packets_in, o.packets_out) IS DISTINCT FROM (n.bytes_in, n.bytes_out, n.packets_in, n.packets_out)
  GROUP BY 1, 2, 3;
  RETURN NULL;
END
$$;
CREATE TRIGGER "child_sas_usage" AFTER UPDATE ON "child_sas" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "note_child_sas"();

CREATE FUNCTION "note_connections"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO usage_deltas (organization_id, device_id, tunnel_id, hour, connections, denied)
    SELECT n.organization_id, t.device_id, n.tunnel_id, usage_hour(n.opened_at), count(*) FILTER (WHERE n.state <> 'refused'),
      count(*) FILTER (WHERE n.state = 'refused')
    FROM new_rows n JOIN tunnels t ON t.id = n.tunnel_id GROUP BY 1, 2, 3, 4;
    INSERT INTO usage_deltas (organization_id, device_id, tunnel_id, hour, bytes_in, bytes_out)
    SELECT n.organization_id, t.device_id, n.tunnel_id, usage_hour(coalesce(n.closed_at, now())), sum(n.bytes_down), sum(n.bytes_up)
    FROM new_rows n JOIN tunnels t ON t.id = n.tunnel_id WHERE n.bytes_up + n.bytes_down > 0 GROUP BY 1, 2, 3, 4;
  ELSE
    INSERT INTO usage_deltas (organization_id, device_id, tunnel_id, hour, bytes_in, bytes_out)
    SELECT n.organization_id, t.device_id, n.tunnel_id, usage_hour(coalesce(n.closed_at, now())),
      sum(greatest(n.bytes_down - o.bytes_down, 0)), sum(greatest(n.bytes_up - o.bytes_up, 0))
    FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN tunnels t ON t.id = n.tunnel_id
    WHERE n.bytes_down > o.bytes_down OR n.bytes_up > o.bytes_up GROUP BY 1, 2, 3, 4;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER "connections_usage_inserted" AFTER INSERT ON "connections" REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "note_connections"();
CREATE TRIGGER "connections_usage_updated" AFTER UPDATE ON "connections" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "note_connections"();

CREATE FUNCTION "note_tunnel_opened"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO usage_deltas (organization_id, device_id, tunnel_id, hour, tunnels_opened)
  VALUES (NEW.organization_id, NEW.device_id, NEW.id, usage_hour(NEW.opened_at), 1);
  RETURN NULL;
END
$$;
CREATE TRIGGER "tunnels_usage" AFTER UPDATE OF "opened_at" ON "tunnels" FOR EACH ROW
  WHEN (OLD."opened_at" IS NULL AND NEW."opened_at" IS NOT NULL) EXECUTE FUNCTION "note_tunnel_opened"();
