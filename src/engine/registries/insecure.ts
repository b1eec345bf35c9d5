import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

/**
 * True when a list names the registry: `r.example:5000`, `r.example` (port 80 or 443), or a range that holds an address
 * of its host. Source: moby, registry.isSecureIndex.
 */
export async function isListed(registry: string, list: readonly string[]): Promise<boolean> {
  const plain = list.map((entry) =>
    entry
      .trim()
      .replace(/^https?:\/\//i, '')
      .replace(/\/+$/, '')
      .toLowerCase(),
  )
  if (plain.includes(registry.toLowerCase())) return true
  const ranges = rangesOf(list)
  if (!ranges) return false
  const { hostname } = new URL(`http://${registry}`)
  const host = hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(host) ? [host] : await addressesOf(host)
  return addresses.some((address) => ranges.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
}

/** True for `10.0.0.0/8` and `fd00::/8`. */
export function isRange(entry: string): boolean {
  const [network = '', bits, more] = entry.trim().split('/')
  const family = isIP(network)
  return more === undefined && family !== 0 && /^\d{1,3}$/.test(bits ?? '') && Number(bits) <= (family === 4 ? 32 : 128)
}

function rangesOf(list: readonly string[]): BlockList | undefined {
  const written = list.filter(isRange)
  if (written.length === 0) return undefined
  const ranges = new BlockList()
  for (const one of written) {
    const [network, bits] = one.trim().split('/')
    ranges.addSubnet(network!, Number(bits), isIP(network!) === 6 ? 'ipv6' : 'ipv4')
  }
  return ranges
}

/** A name that cannot be resolved (a proxy may know it) is in no range. */
async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch (error) {
    if ((error as { syscall?: string }).syscall !== 'getaddrinfo') throw error
    return []
  }
}
