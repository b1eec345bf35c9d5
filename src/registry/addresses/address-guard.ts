import { isIP } from 'node:net'
import { createAddressList } from './address-list.ts'

/** Source: IANA IPv4 Special-Purpose Address Registry, and multicast. */
const SPECIAL_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
]
/** Of IPv6 only this is public. IPv4 within IPv6 (mapped, NAT64) is outside of it. */
const PUBLIC_IPV6 = ['2000::/3']
/** Source: IANA IPv6 Special-Purpose Address Registry; Teredo and 6to4 lead to IPv4 addresses of the sender's choice. */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/**
 * Whether the registry may connect to an address that somebody configured: to public ones, and to those in the ranges that
 * the operator allows. What may be asked for by a URL must not reach what only this machine reaches (A13).
 */
export function createAddressGuard(allowed: readonly string[] = []): (address: string) => boolean {
  const [open, special4] = [createAddressList(allowed), createAddressList(SPECIAL_IPV4)]
  const [public6, special6] = [createAddressList(PUBLIC_IPV6), createAddressList(SPECIAL_IPV6)]
  return (address) => {
    const family = isIP(address)
    if (family === 0) return false
    if (open.has(address)) return true
    return family === 4 ? !special4.has(address) : public6.has(address) && !special6.has(address)
  }
}
