import { BlockList, isIP } from 'node:net'
import { BaleError } from '#base'

/** IPv4 as dual-stack sockets show it, without its IPv6 wrapping. */
export function plainAddress(address: string): string {
  const wrapped = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : ''
  return isIP(wrapped) === 4 ? wrapped : address
}

/** Addresses and ranges (`10.0.0.0/8`); INVALID_ARGUMENT names one that is neither. */
export function createAddressList(ranges: readonly string[]): { has(address: string): boolean } {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits, ...more] = range.split('/')
    const family = isIP(address)
    const most = family === 6 ? 128 : 32
    if (family === 0 || more.length > 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most))) {
      throw new BaleError('INVALID_ARGUMENT', `not an address or range of addresses: ${range}`)
    }
    const type = family === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, type)
    else list.addSubnet(address, Number(bits), type)
  }
  return {
    has(address) {
      const plain = plainAddress(address)
      return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
    },
  }
}

/** Whether only this machine can reach it, so that passwords may go over it in plain text. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Whether what is sent to an address cannot be read on the way. */
export function isProtected({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))
}
