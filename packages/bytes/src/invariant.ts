/**
 * How a bug shows itself: as an `InvariantError`, thrown. Bad input from a peer or a person is never one of these; it is a
 * value (`undefined`, `null`, a `Result`). Whoever runs an SA or a job catches it at that border, so that one bug does not
 * take the node down.
 */

/** A broken invariant of our own code; the message holds no secret. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}
