-- Questions that cannot be answered out of the rows of one organization. The API sees those rows alone (row-level security),
-- so each is a function of the owner that tells as little as will do.

-- Who calls is known by the key itself, and only afterwards the organization.
CREATE FUNCTION "api_key_by_id"("key_id" text) RETURNS SETOF "api_keys" LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = public, pg_temp AS $$ SELECT * FROM api_keys WHERE id = key_id $$;

-- A gateway that is ready and serves the fewest ports.
CREATE FUNCTION "choose_gateway"("dead_after_sec" integer) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
  SELECT g.id FROM gateways g WHERE g.state = 'ready' AND g.heartbeat_at > now() - dead_after_sec * interval '1 second'
  ORDER BY (SELECT count(*) FROM tunnel_ports p WHERE p.gateway_id = g.id AND p.desired = 'listen'), g.id LIMIT 1
$$;

-- Somebody of another organization was seen at this address: attached from there, or claimed to be its device.
CREATE FUNCTION "seen_by_others"("organization" text, "source" inet, "moment" timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT 1 FROM outer_addresses o WHERE o.address = source AND o.organization_id <> organization
      AND o.last_seen_at > moment - interval '30 days')
    OR EXISTS (SELECT 1 FROM attach_attempts c WHERE c.source_address = source AND c.device_id IS NOT NULL
      AND c.organization_id <> organization AND c.at > moment - interval '30 days')
$$;

-- IPv6 pools that are given out; not to whom.
CREATE FUNCTION "pools6_within"("range" inet) RETURNS SETOF inet LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$ SELECT pool6 FROM networks WHERE pool6 && range $$;
