-- Where a concentrator sends its devices while an operator wants it empty (RFC 5685).

-- AlterTable
ALTER TABLE "concentrators" ADD COLUMN     "redirect_to" TEXT;
