-- A node shows its public key; the names in its certificate come from its row, so there is nothing to ask for in a request.
ALTER TABLE "gateway_certificates" RENAME COLUMN "csr" TO "public_key";
