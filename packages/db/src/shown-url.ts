/** A URL as others than its maker may see it: of some the path is what lets one in. */
export function shownUrl(url: string): string {
  return `${new URL(url).origin}/…`
}
