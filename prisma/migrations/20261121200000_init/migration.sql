-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "organizations" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organizations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "networks" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "pool4" INET NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "networks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "devices" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "network_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "iccid" TEXT NOT NULL,
    "imsi" TEXT,
    "imei" TEXT,
    "eid" TEXT,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "ike_identity" TEXT NOT NULL,
    "address4" INET NOT NULL,
    "tunnelable" BOOLEAN NOT NULL DEFAULT true,
    "policy_version" INTEGER NOT NULL DEFAULT 1,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "devices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credentials" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "device_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "sealing_key_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "credentials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "installation" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "incarnation" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "installation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "concentrators" (
    "id" TEXT NOT NULL,
    "slot" INTEGER NOT NULL,
    "incarnation" INTEGER NOT NULL DEFAULT 0,
    "addresses" TEXT[],
    "ike_identity" TEXT NOT NULL,
    "tun_namespace" TEXT NOT NULL,
    "dial_address" TEXT NOT NULL,
    "data_plane" TEXT NOT NULL DEFAULT '',
    "state" TEXT NOT NULL DEFAULT 'starting',
    "started_at" TIMESTAMPTZ(3),
    "heartbeat_at" TIMESTAMPTZ(3),
    "attached_count" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "concentrators_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateways" (
    "id" TEXT NOT NULL,
    "bind_address" TEXT NOT NULL,
    "public_host" TEXT NOT NULL,
    "port_from" INTEGER NOT NULL,
    "port_to" INTEGER NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'starting',
    "started_at" TIMESTAMPTZ(3),
    "heartbeat_at" TIMESTAMPTZ(3),

    CONSTRAINT "gateways_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "attachments" (
    "device_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "concentrator_id" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "address4" INET NOT NULL,
    "remote_address" TEXT NOT NULL,
    "remote_port" INTEGER NOT NULL,
    "behind_nat" BOOLEAN NOT NULL,
    "attached_at" TIMESTAMPTZ(3) NOT NULL,
    "detached_at" TIMESTAMPTZ(3),
    "detach_reason" TEXT,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "detach_desired" INTEGER NOT NULL DEFAULT 0,
    "detach_applied" INTEGER NOT NULL DEFAULT 0,
    "policy_applied" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "attachments_pkey" PRIMARY KEY ("device_id")
);

-- CreateTable
CREATE TABLE "ike_sas" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "device_id" TEXT NOT NULL,
    "spi_i" TEXT NOT NULL,
    "spi_r" TEXT NOT NULL,
    "initiator" BOOLEAN NOT NULL,
    "encryption" TEXT NOT NULL,
    "integrity" TEXT,
    "prf" TEXT NOT NULL,
    "key_exchange" TEXT NOT NULL,
    "established_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ike_sas_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "child_sas" (
    "ike_sa_id" TEXT NOT NULL,
    "spi_in" BIGINT NOT NULL,
    "spi_out" BIGINT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "device_id" TEXT NOT NULL,
    "encryption" TEXT NOT NULL,
    "integrity" TEXT,
    "esn" BOOLEAN NOT NULL,
    "selectors_local" TEXT[],
    "selectors_remote" TEXT[],
    "installed_at" TIMESTAMPTZ(3) NOT NULL,
    "packets_in" BIGINT NOT NULL DEFAULT 0,
    "bytes_in" BIGINT NOT NULL DEFAULT 0,
    "packets_out" BIGINT NOT NULL DEFAULT 0,
    "bytes_out" BIGINT NOT NULL DEFAULT 0,
    "counted_at" TIMESTAMPTZ(3),

    CONSTRAINT "child_sas_pkey" PRIMARY KEY ("ike_sa_id","spi_in")
);

-- CreateTable
CREATE TABLE "tunnels" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "device_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "allow_from" TEXT[],
    "wait_for_device" BOOLEAN NOT NULL DEFAULT false,
    "ttl_sec" INTEGER NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "opened_at" TIMESTAMPTZ(3),
    "closed_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "tunnels_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tunnel_ports" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "tunnel_id" TEXT NOT NULL,
    "gateway_id" TEXT NOT NULL,
    "protocol" TEXT NOT NULL,
    "device_port" INTEGER NOT NULL,
    "gateway_port" INTEGER,
    "desired" TEXT NOT NULL,
    "desired_generation" INTEGER NOT NULL DEFAULT 1,
    "applied_generation" INTEGER NOT NULL DEFAULT 0,
    "failure" TEXT,
    "quarantine_until" TIMESTAMPTZ(3),

    CONSTRAINT "tunnel_ports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "connections" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "tunnel_id" TEXT NOT NULL,
    "tunnel_port_id" TEXT NOT NULL,
    "client_address" INET NOT NULL,
    "client_port" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),
    "bytes_up" BIGINT NOT NULL DEFAULT 0,
    "bytes_down" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "connections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "events" (
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "resource_id" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "data" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "organizations_slug_key" ON "organizations"("slug");

-- CreateIndex
CREATE INDEX "api_keys_organization_id_idx" ON "api_keys"("organization_id");

-- CreateIndex
CREATE UNIQUE INDEX "networks_organization_id_id_key" ON "networks"("organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "networks_organization_id_name_key" ON "networks"("organization_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "devices_ike_identity_key" ON "devices"("ike_identity");

-- CreateIndex
CREATE UNIQUE INDEX "devices_address4_key" ON "devices"("address4");

-- CreateIndex
CREATE INDEX "devices_organization_id_created_at_id_idx" ON "devices"("organization_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "devices_tags_idx" ON "devices" USING GIN ("tags");

-- CreateIndex
CREATE UNIQUE INDEX "devices_organization_id_id_key" ON "devices"("organization_id", "id");

-- CreateIndex
CREATE INDEX "credentials_organization_id_device_id_idx" ON "credentials"("organization_id", "device_id");

-- CreateIndex
CREATE UNIQUE INDEX "credentials_organization_id_id_key" ON "credentials"("organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "concentrators_slot_key" ON "concentrators"("slot");

-- CreateIndex
CREATE INDEX "attachments_concentrator_id_state_idx" ON "attachments"("concentrator_id", "state");

-- CreateIndex
CREATE UNIQUE INDEX "attachments_organization_id_device_id_key" ON "attachments"("organization_id", "device_id");

-- CreateIndex
CREATE INDEX "ike_sas_organization_id_device_id_idx" ON "ike_sas"("organization_id", "device_id");

-- CreateIndex
CREATE INDEX "child_sas_organization_id_device_id_idx" ON "child_sas"("organization_id", "device_id");

-- CreateIndex
CREATE INDEX "tunnels_organization_id_created_at_id_idx" ON "tunnels"("organization_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "tunnels_organization_id_device_id_idx" ON "tunnels"("organization_id", "device_id");

-- CreateIndex
CREATE INDEX "tunnels_state_expires_at_idx" ON "tunnels"("state", "expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "tunnels_organization_id_id_key" ON "tunnels"("organization_id", "id");

-- CreateIndex
CREATE INDEX "tunnel_ports_organization_id_tunnel_id_idx" ON "tunnel_ports"("organization_id", "tunnel_id");

-- CreateIndex
CREATE INDEX "tunnel_ports_gateway_id_desired_generation_idx" ON "tunnel_ports"("gateway_id", "desired_generation");

-- CreateIndex
CREATE INDEX "connections_organization_id_tunnel_id_opened_at_idx" ON "connections"("organization_id", "tunnel_id", "opened_at");

-- CreateIndex
CREATE INDEX "events_organization_id_created_at_id_idx" ON "events"("organization_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "events_resource_id_sequence_key" ON "events"("resource_id", "sequence");

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "networks" ADD CONSTRAINT "networks_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "devices" ADD CONSTRAINT "devices_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "devices" ADD CONSTRAINT "devices_organization_id_network_id_fkey" FOREIGN KEY ("organization_id", "network_id") REFERENCES "networks"("organization_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_organization_id_device_id_fkey" FOREIGN KEY ("organization_id", "device_id") REFERENCES "devices"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_organization_id_device_id_fkey" FOREIGN KEY ("organization_id", "device_id") REFERENCES "devices"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_concentrator_id_fkey" FOREIGN KEY ("concentrator_id") REFERENCES "concentrators"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ike_sas" ADD CONSTRAINT "ike_sas_organization_id_device_id_fkey" FOREIGN KEY ("organization_id", "device_id") REFERENCES "attachments"("organization_id", "device_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "child_sas" ADD CONSTRAINT "child_sas_ike_sa_id_fkey" FOREIGN KEY ("ike_sa_id") REFERENCES "ike_sas"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tunnels" ADD CONSTRAINT "tunnels_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tunnels" ADD CONSTRAINT "tunnels_organization_id_device_id_fkey" FOREIGN KEY ("organization_id", "device_id") REFERENCES "devices"("organization_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tunnel_ports" ADD CONSTRAINT "tunnel_ports_organization_id_tunnel_id_fkey" FOREIGN KEY ("organization_id", "tunnel_id") REFERENCES "tunnels"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tunnel_ports" ADD CONSTRAINT "tunnel_ports_gateway_id_fkey" FOREIGN KEY ("gateway_id") REFERENCES "gateways"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "connections" ADD CONSTRAINT "connections_tunnel_port_id_fkey" FOREIGN KEY ("tunnel_port_id") REFERENCES "tunnel_ports"("id") ON DELETE CASCADE ON UPDATE CASCADE;


