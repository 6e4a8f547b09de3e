/**
 * SQL: a moment for `timestamptz(3)` that has come. Such a column rounds, and what is rounded up lies in the future by up to half a
 * millisecond: whoever is told at once would look and find nothing due.
 */
export const DUE_NOW = `date_trunc('milliseconds', now())`
