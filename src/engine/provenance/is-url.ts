/** True for an address of the web. */
export function isUrl(text: string | undefined): text is string {
  return text !== undefined && /^https?:\/\//i.test(text)
}
