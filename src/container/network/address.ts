import { BaleError, printable } from '#base'

/** An IPv4 network: its first address as a number and the length of the prefix. */
export interface Subnet {
  base: number
  prefix: number
}

/** `10.1.2.3` as a number 0 … 2^32-1; undefined when it is not an IPv4 address. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined
  return parts.reduce((value, part) => value * 256 + Number(part), 0)
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

/** `10.1.2.0/24`; the address must be the network's own (no host bits). Throws INVALID_ARGUMENT. */
export function parseSubnet(text: string, longest = 30): Subnet {
  const [, address = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? []
  const base = parseAddress(address)
  const prefix = Number(length)
  if (base === undefined || length === '' || prefix < 8 || prefix > longest)
    throw new BaleError('INVALID_ARGUMENT', `invalid subnet: ${printable(text)}`, { hint: 'for example 10.5.0.0/24' })
  if (base % sizeOf({ base, prefix }) !== 0)
    throw new BaleError('INVALID_ARGUMENT', `invalid subnet ${text}: it should be ${networkAddress(base, prefix)}`)
  return { base, prefix }
}

function networkAddress(address: number, prefix: number): string {
  return formatSubnet({ base: address - (address % sizeOf({ base: 0, prefix })), prefix })
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.prefix}`
}

export function overlaps(one: Subnet, other: Subnet): boolean {
  return one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one)
}

export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address < subnet.base + sizeOf(subnet)
}

export function containsSubnet(outer: Subnet, inner: Subnet): boolean {
  return contains(outer, inner.base) && inner.prefix >= outer.prefix
}

/** Neither the network's own address nor its broadcast address. */
export function isHostAddress(subnet: Subnet, address: number): boolean {
  return address > subnet.base && address < subnet.base + sizeOf(subnet) - 1
}

/** How many addresses, the network's own and broadcast included. */
function sizeOf(subnet: Subnet): number {
  return 2 ** (32 - subnet.prefix)
}

/** The first address, the bridge's own. */
export function gatewayOf(subnet: Subnet): string {
  return formatAddress(subnet.base + 1)
}

/** Addresses for containers, lowest first; of a part of the subnet when there is one. */
export function* hostAddresses(subnet: Subnet, range: Subnet = subnet): Generator<string> {
  for (let address = range.base; address < range.base + sizeOf(range); address++)
    if (isHostAddress(subnet, address) && address !== subnet.base + 1) yield formatAddress(address)
}
