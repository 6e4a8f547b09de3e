/** The command line or its surroundings are not as they must be. */
export class UsageError extends Error {}
