-- What schema.prisma cannot say: pools that never overlap, allowed states, one ICCID per organization, numbered events.

-- Inner address pools never overlap, in the whole installation.
ALTER TABLE "networks" ADD CONSTRAINT "networks_pools_never_overlap" EXCLUDE USING gist ("pool4" inet_ops WITH &&);
ALTER TABLE "networks" ADD CONSTRAINT "networks_pool4_is_a_network"
  CHECK (family("pool4") = 4 AND masklen("pool4") BETWEEN 8 AND 29 AND host("pool4") = host(network("pool4")));

ALTER TABLE "organizations" ADD CONSTRAINT "organizations_slug_form"
  CHECK ("slug" ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$');

ALTER TABLE "devices" ADD CONSTRAINT "devices_address4_is_a_host" CHECK (family("address4") = 4 AND masklen("address4") = 32);
ALTER TABLE "devices" ADD CONSTRAINT "devices_iccid_form" CHECK ("iccid" ~ '^[0-9]{18,22}$');
-- A deleted device frees its ICCID, not its identity.
CREATE UNIQUE INDEX "devices_organization_id_iccid_key" ON "devices" ("organization_id", "iccid") WHERE "deleted_at" IS NULL;

ALTER TABLE "credentials" ADD CONSTRAINT "credentials_kind" CHECK ("kind" IN ('psk'));

ALTER TABLE "concentrators" ADD CONSTRAINT "concentrators_slot" CHECK ("slot" BETWEEN 1 AND 255);
ALTER TABLE "concentrators" ADD CONSTRAINT "concentrators_incarnation" CHECK ("incarnation" BETWEEN 0 AND 16777215);
ALTER TABLE "concentrators" ADD CONSTRAINT "concentrators_state"
  CHECK ("state" IN ('starting', 'ready', 'failing', 'draining', 'stopped', 'offline'));

ALTER TABLE "gateways" ADD CONSTRAINT "gateways_state"
  CHECK ("state" IN ('starting', 'ready', 'failing', 'draining', 'stopped', 'offline'));
ALTER TABLE "gateways" ADD CONSTRAINT "gateways_port_range" CHECK (1 <= "port_from" AND "port_from" <= "port_to" AND "port_to" <= 65535);

ALTER TABLE "installation" ADD CONSTRAINT "installation_is_one" CHECK ("id" = 1);
ALTER TABLE "installation" ADD CONSTRAINT "installation_incarnation" CHECK ("incarnation" BETWEEN 0 AND 16777215);

ALTER TABLE "attachments" ADD CONSTRAINT "attachments_state" CHECK ("state" IN ('attached', 'detached'));
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_detach" CHECK ("detach_applied" <= "detach_desired");

ALTER TABLE "tunnels" ADD CONSTRAINT "tunnels_state" CHECK ("state" IN
  ('requested', 'waiting_for_device', 'opening', 'open', 'draining', 'closed', 'expired', 'failed'));
ALTER TABLE "tunnels" ADD CONSTRAINT "tunnels_end_has_reason"
  CHECK ("state" NOT IN ('draining', 'closed', 'expired', 'failed') OR "reason" IS NOT NULL);
ALTER TABLE "tunnels" ADD CONSTRAINT "tunnels_ttl" CHECK ("ttl_sec" BETWEEN 1 AND 86400);
ALTER TABLE "tunnels" ADD CONSTRAINT "tunnels_allow_somebody" CHECK (cardinality("allow_from") BETWEEN 1 AND 64);

ALTER TABLE "tunnel_ports" ADD CONSTRAINT "tunnel_ports_protocol" CHECK ("protocol" IN ('tcp'));
ALTER TABLE "tunnel_ports" ADD CONSTRAINT "tunnel_ports_desired" CHECK ("desired" IN ('listen', 'close'));
ALTER TABLE "tunnel_ports" ADD CONSTRAINT "tunnel_ports_device_port" CHECK ("device_port" BETWEEN 1 AND 65535);
ALTER TABLE "tunnel_ports" ADD CONSTRAINT "tunnel_ports_gateway_port" CHECK ("gateway_port" BETWEEN 1 AND 65535);
ALTER TABLE "tunnel_ports" ADD CONSTRAINT "tunnel_ports_generation" CHECK ("applied_generation" <= "desired_generation");

ALTER TABLE "connections" ADD CONSTRAINT "connections_state" CHECK ("state" IN ('open', 'closed', 'refused'));

-- Sweepers and waiting calls look only at what is not finished.
CREATE INDEX "tunnels_active_idx" ON "tunnels" ("expires_at")
  WHERE "state" IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining');
CREATE INDEX "tunnel_ports_listening_idx" ON "tunnel_ports" ("gateway_id") WHERE "desired" = 'listen';
CREATE INDEX "tunnel_ports_behind_idx" ON "tunnel_ports" ("gateway_id") WHERE "applied_generation" < "desired_generation";
CREATE INDEX "connections_open_idx" ON "connections" ("tunnel_port_id") WHERE "state" = 'open';

-- The sequence of a resource's events: one after the other, whoever writes. The lock lasts until the writer commits, so a
-- smaller sequence is never seen after a greater one.
CREATE FUNCTION "number_event"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(NEW."resource_id", 7));
  SELECT coalesce(max("sequence"), 0) + 1 INTO NEW."sequence" FROM "events" WHERE "resource_id" = NEW."resource_id";
  RETURN NEW;
END
$$;
CREATE TRIGGER "events_are_numbered" BEFORE INSERT ON "events" FOR EACH ROW EXECUTE FUNCTION "number_event"();
