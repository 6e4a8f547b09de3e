-- Tunnels of a key or a person end with it.
CREATE INDEX "tunnels_of_openers_idx" ON "tunnels" ("organization_id", "opened_by_id")
  WHERE "state" IN ('requested', 'waiting_for_device', 'opening', 'open', 'draining');
