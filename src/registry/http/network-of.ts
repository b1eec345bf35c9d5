import { isIPv6 } from 'node:net'
import { plainAddress } from '../addresses/index.ts'

/**
 * What stands for all addresses of one client where requests and guesses are counted: an IPv4 address, and of an IPv6 one
 * its first 64 bits (`2001:db8:1:2::/64`), since whoever has one of those has the others, too.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address.replace(/%.*$/, ''))
  if (!isIPv6(plain)) return plain
  // As the URL parser writes it: in lower case, without leading zeros, IPv4 at the end as two groups.
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::')
  const [first, last] = [head, tail ?? ''].map((part) => part.split(':').filter(Boolean)) as [string[], string[]]
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => '0')
  const groups = [...first, ...zeros, ...last]
  return isWrapped(groups) ? ipv4Of(groups.slice(6)) : `${groups.slice(0, 4).join(':')}::/64`
}

/** IPv4, however its wrapping is written. */
function isWrapped(groups: readonly string[]): boolean {
  return groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff'
}

function ipv4Of(groups: readonly string[]): string {
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]).join('.')
}
