/** An address that a link may have: of the web alone, since others (`javascript:`) may do more than show a page. */
export function webAddress(text: string | undefined): string | undefined {
  const url = URL.parse(text ?? '')
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined
}
