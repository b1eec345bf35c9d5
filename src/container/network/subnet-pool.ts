import { BaleError } from '#base'
import { readTextSync } from '#host/file'
import { overlaps, type Subnet } from './address.ts'

/** Subnets of networks that request none: away from docker's 172.17–31 and podman's 10.88–89. */
const POOLS = {
  /** For the default network. */
  large: { base: 10 * 2 ** 24 + 120 * 2 ** 16, prefix: 16, count: 20 },
  small: { base: 10 * 2 ** 24 + 140 * 2 ** 16, prefix: 24, count: 20 * 256 },
}

/**
 * The first subnet of a pool that touches neither a route of this machine nor a network that bale knows. Where many stores
 * have used up the large ones, a small one does.
 */
export function freeSubnet(pool: keyof typeof POOLS, taken: readonly Subnet[]): Subnet {
  const { base, prefix, count } = POOLS[pool]
  for (let index = 0; index < count; index++) {
    const candidate = { base: base + index * 2 ** (32 - prefix), prefix }
    if (!taken.some((one) => overlaps(one, candidate))) return candidate
  }
  if (pool === 'large') return freeSubnet('small', taken)
  const words = 'could not find an available, non-overlapping IPv4 address pool: all address ranges are in use'
  throw new BaleError('NETWORK_SETUP_FAILED', words, {
    next: { act: 'choose-subnet', because: 'none-free' },
  })
}

/** IPv4 routes of this machine except the default one. `except` is left out: the interface of a network itself. */
export function routedSubnets(except?: string): Subnet[] {
  return parseRoutes(readTextSync('/proc/net/route'), except)
}

/** Source: proc_net_route: interface, destination and mask as little-endian hexadecimal. */
export function parseRoutes(text: string, except?: string): Subnet[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length > 7 && fields[0] !== except && fields[7] !== '00000000')
    .map((fields) => ({ base: littleEndian(fields[1]!), prefix: bitsOf(littleEndian(fields[7]!)) }))
}

function littleEndian(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE()
}

function bitsOf(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length
}
