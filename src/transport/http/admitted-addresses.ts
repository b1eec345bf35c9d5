import { type LookupAddress, lookup as machineLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { BaleError } from '#base'

/** Which addresses may be connected to. A name is looked up for each connection, which goes to an address that was checked. */
export interface AddressRules {
  /** In any form that a resolver or a URL has it: `10.0.0.1`, `::1`, `::ffff:7f00:1`. */
  admits(address: string): boolean
  /** How names become addresses: as this machine does it by default. */
  lookup?: LookupFunction
}

/** A lookup whose answer has only addresses that are admitted; DENIED when there are none. */
export function admittedLookup({ admits, lookup = machineLookup }: AddressRules): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, answer) => {
      if (error) return done(error, [])
      const found = answer as LookupAddress[]
      const [first, ...others] = found.filter(({ address }) => admits(address))
      if (!first) return done(notAdmitted(hostname, found[0]?.address), [])
      if (options.all) done(null, [first, ...others])
      else done(null, first.address, first.family)
    })
  }
}

/** An address that the URL has itself is looked up by nobody. `http://2130706433` is `127.0.0.1` when it is a URL. */
export function checkOwnAddress({ hostname }: URL, { admits }: AddressRules): void {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) !== 0 && !admits(address)) throw notAdmitted(hostname, address)
}

function notAdmitted(hostname: string, address: string | undefined): BaleError {
  const what = address === undefined || address === hostname ? hostname : `${hostname} (${address})`
  return new BaleError('DENIED', `connections to ${what} are not allowed`)
}
