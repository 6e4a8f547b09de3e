-- A concentrator has a certificate for each kind of key: routers and operating systems there are that check RSA alone.

-- AlterTable
ALTER TABLE "gateway_certificates" DROP CONSTRAINT "gateway_certificates_pkey",
ADD COLUMN     "key_kind" TEXT NOT NULL DEFAULT 'p256',
ADD CONSTRAINT "gateway_certificates_pkey" PRIMARY KEY ("concentrator_id", "key_kind");

ALTER TABLE "gateway_certificates" ADD CONSTRAINT "gateway_certificates_key_kind" CHECK ("key_kind" IN ('p256', 'rsa2048'));
