/** Text that people typed, as comments and names: one line, whatever was in it. */

/** Everything that some reader takes for the end of a line, and what hides or turns text, becomes a space. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\u2028\u2029]/gu, ' ').trim()
}

/**
 * @param sign what begins a comment of the target
 * @returns lines that each begin with it, ended by a line feed
 */
export function comments(sign: string, lines: readonly string[]): string {
  return lines.map((line) => `${sign} ${oneLine(line)}\n`).join('')
}

export function deviceLines({ id, name, tags }: { id: string; name: string; tags: readonly string[] }): string[] {
  return [`Culvert device ${id}: ${name}`, ...(tags.length > 0 ? [`Tags: ${tags.join(', ')}`] : [])]
}
