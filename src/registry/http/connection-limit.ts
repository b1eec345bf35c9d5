import { createAddressList } from './address-list.ts'

/** How many connections there may be at once. */
export interface ConnectionLimit {
  /** A place for a connection from that address until it is disposed of; undefined when there is none left. */
  enter(address: string): Disposable | undefined
}

const MAX_CONNECTIONS = 4096

/**
 * So many in all, 4096 by default. One address must not take all places, so it may have a quarter of them: but those of trusted
 * proxies carry many clients, and count only for the whole.
 */
export function createConnectionLimit({
  maxConnections = MAX_CONNECTIONS,
  trustedProxies = [],
}: {
  maxConnections?: number
  trustedProxies?: readonly string[]
}): ConnectionLimit {
  const trusted = createAddressList(trustedProxies)
  const byAddress = new Map<string, number>()
  let all = 0
  return {
    enter(address) {
      const counts = !trusted.has(address)
      const own = byAddress.get(address) ?? 0
      if (all >= maxConnections || (counts && own >= Math.max(1, maxConnections / 4))) return undefined
      all++
      if (counts) byAddress.set(address, own + 1)
      return {
        [Symbol.dispose]() {
          all--
          const left = (byAddress.get(address) ?? 0) - 1
          if (counts && left > 0) byAddress.set(address, left)
          else if (counts) byAddress.delete(address)
        },
      }
    },
  }
}
