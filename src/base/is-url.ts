/** Whether a text is an address of the web, and not a path or a name. */
export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text)
}
