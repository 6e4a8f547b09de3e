-- What a key may do. NULL: everything, also what keys can do only later; keys from before have that.

-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN     "scopes" TEXT[];
