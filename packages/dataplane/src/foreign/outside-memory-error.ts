/** A block that no foreign call gets to see, told before the call: a bug of ours, not of a peer. */
export class OutsideMemoryError extends RangeError {
  override readonly name = 'OutsideMemoryError'
}
