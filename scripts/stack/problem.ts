/** Something that a person can mend: one clear sentence with the command that mends it, and no stack trace. */
export class Problem extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause })
    this.name = 'Problem'
  }
}
