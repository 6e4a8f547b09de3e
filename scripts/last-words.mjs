/**
 * Says the last words of a script, then ends it: not before everything that was said has left. A child that shared the pipe may have
 * made it non-blocking, and `process.exit` drops what still waits then.
 * @param {string} words
 * @param {number} code
 */
export function endWith(words, code) {
  process.stdout.write(words, () => process.exit(code))
}
