import { isIP } from 'node:net'
import { BaleError, printable } from '#base'

/** An IPv6 network: its first address as a number and the length of the prefix. */
interface Subnet6 {
  base: bigint
  prefix: number
}

/** `fd00:5::1` as a number; undefined when it is not an IPv6 address. */
export function parseAddress6(text: string): bigint | undefined {
  if (isIP(text) !== 6 || text.includes('%')) return undefined
  // The platform writes every form, an IPv4 tail too, in one way.
  const [head = '', tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::')
  const words = (part: string) => part.split(':').filter(Boolean)
  const [before, after] = [words(head), words(tail ?? '')]
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].reduce((value, word) => (value << 16n) | BigInt(`0x${word}`), 0n)
}

export function formatAddress6(value: bigint): string {
  const words = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  return new URL(`http://[${words.join(':')}]/`).hostname.slice(1, -1)
}

/** `fd00:5::/64`. Throws INVALID_ARGUMENT. The prefix leaves room for the IPv4 addresses of the same network. */
export function parseSubnet6(text: string): Subnet6 {
  const [address = '', length = ''] = text.split('/')
  const base = parseAddress6(address)
  const prefix = Number(length)
  if (base === undefined || !/^\d{1,3}$/.test(length) || prefix < 8 || prefix > 96)
    throw new BaleError('INVALID_ARGUMENT', `invalid subnet: ${printable(text)}`, { hint: 'for example fd00:5::/64' })
  if (base % 2n ** BigInt(128 - prefix) !== 0n)
    throw new BaleError('INVALID_ARGUMENT', `invalid subnet ${text}: it has host bits set`)
  return { base, prefix }
}

export function formatSubnet6({ base, prefix }: Subnet6): string {
  return `${formatAddress6(base)}/${prefix}`
}

export function contains6({ base, prefix }: Subnet6, address: bigint): boolean {
  return address >= base && address < base + 2n ** BigInt(128 - prefix)
}

export function overlaps6(one: Subnet6, other: Subnet6): boolean {
  return contains6(one, other.base) || contains6(other, one.base)
}

/** A unique local network (RFC 4193): 40 bits are the network's own, taken from its ID. */
export function uniqueLocalSubnet(networkId: string): Subnet6 {
  return { base: BigInt(`0xfd${networkId.slice(0, 10)}`) << 80n, prefix: 64 }
}
