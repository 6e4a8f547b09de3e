/** What one visit to a lane takes at most, so that the others have their turn: it ends with the first limit that is reached. */
export interface Portion {
  /** Of a socket; each holds one datagram, or a run of equal ones that the kernel joined. */
  readonly buffers: number
  /** Of a queue of the TUN; each holds one packet, or a superpacket. */
  readonly frames: number
  readonly bytes: number
}
