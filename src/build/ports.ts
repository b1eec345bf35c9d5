/**
 * `80`, `80/udp`, `8000-8010/tcp`, and with host parts that EXPOSE ignores (`127.0.0.1:80:80`), as keys of ExposedPorts.
 * Throws a plain Error.
 */
export function exposedPorts(word: string): string[] {
  const match = /^(?:(?:.*:)?([\d-]*):)?(\d+)(?:-(\d+))?(?:\/([A-Za-z]*))?$/.exec(word)
  const protocol = (match?.[4] || 'tcp').toLowerCase()
  if (!match || !['tcp', 'udp', 'sctp'].includes(protocol)) throw new Error(`invalid port: ${JSON.stringify(word)}`)
  const first = Number(match[2])
  const last = Number(match[3] ?? match[2])
  if (first > 65535 || last > 65535 || last < first) throw new Error(`invalid containerPort: ${JSON.stringify(word)}`)
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`)
}
