-- A network may have several pools: it grows with its devices, and no device ever gets another address.

-- CreateTable
CREATE TABLE "network_pools" (
    "pool4" INET NOT NULL,
    "organization_id" TEXT NOT NULL,
    "network_id" TEXT NOT NULL,
    "next_host" BIGINT NOT NULL DEFAULT 2,
    "full_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "network_pools_pkey" PRIMARY KEY ("pool4")
);

-- CreateIndex
CREATE INDEX "network_pools_organization_id_network_id_idx" ON "network_pools"("organization_id", "network_id");

-- AddForeignKey
ALTER TABLE "network_pools" ADD CONSTRAINT "network_pools_organization_id_network_id_fkey" FOREIGN KEY ("organization_id", "network_id") REFERENCES "networks"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What schema.prisma cannot say.
ALTER TABLE "network_pools" ADD CONSTRAINT "network_pools_never_overlap" EXCLUDE USING gist ("pool4" inet_ops WITH &&);
ALTER TABLE "network_pools" ADD CONSTRAINT "network_pools_pool4_is_a_network"
  CHECK (family("pool4") = 4 AND masklen("pool4") BETWEEN 8 AND 29 AND host("pool4") = host(network("pool4")));

-- The first pool of a network stands in its row and among all pools, whoever writes it.
CREATE FUNCTION "mirror_pool4"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.pool4 = OLD.pool4 THEN RETURN NULL; END IF;
    DELETE FROM network_pools WHERE pool4 = OLD.pool4;
  END IF;
  INSERT INTO network_pools (pool4, organization_id, network_id) VALUES (NEW.pool4, NEW.organization_id, NEW.id);
  RETURN NULL;
END
$$;
CREATE TRIGGER "networks_have_their_pool" AFTER INSERT OR UPDATE OF "pool4" ON "networks"
  FOR EACH ROW EXECUTE FUNCTION "mirror_pool4"();
INSERT INTO "network_pools" ("pool4", "organization_id", "network_id", "created_at")
  SELECT "pool4", "organization_id", "id", "created_at" FROM "networks";

-- The lowest free block of 2^(32 - bits) addresses in a range; NULL: there is none. It looks at the pools of all organizations.
CREATE FUNCTION "free_pool4"("range" inet, "bits" int) RETURNS inet
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH size AS (SELECT (1::bigint << (32 - "bits")) AS hosts),
  taken AS (
    SELECT host(network(pool4))::inet - '0.0.0.0'::inet AS first, host(broadcast(pool4))::inet - '0.0.0.0'::inet AS last
    FROM network_pools WHERE pool4 && "range"
    UNION ALL SELECT host("range")::inet - '0.0.0.0'::inet - 1, host("range")::inet - '0.0.0.0'::inet - 1
  ),
  gaps AS (
    SELECT (last + hosts) / hosts * hosts AS start,
      coalesce(lead(first) OVER (ORDER BY first), host(broadcast("range"))::inet - '0.0.0.0'::inet + 1) AS after, hosts
    FROM taken, size
  )
  SELECT set_masklen('0.0.0.0'::inet + min(start), "bits") FROM gaps WHERE start + hosts <= after
$$;
