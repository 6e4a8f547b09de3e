-- Cursors of the feed do not show positions, which count the events of all organizations.

-- AlterTable
ALTER TABLE "event_feed" ADD COLUMN     "cursor_key" BYTEA;

-- What schema.prisma cannot say.
UPDATE "event_feed" SET "cursor_key" = substr(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 1, 16);
ALTER TABLE "event_feed" ADD CONSTRAINT "event_feed_cursor_key" CHECK ("cursor_key" IS NOT NULL AND octet_length("cursor_key") = 16);
