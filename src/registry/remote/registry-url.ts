/** The URL of a registry: scheme and host alone, without a login. Undefined for anything else. */
export function registryUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  const isPlain =
    url && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '' && url.username === ''
  return isPlain ? url : undefined
}
