import { createAddressList } from '../addresses/index.ts'
import { networkOf } from './network-of.ts'

/** How many connections there may be at once. */
export interface ConnectionLimit {
  /** A place for a connection from that address until it is disposed of; undefined when there is none left. */
  enter(address: string): Disposable | undefined
}

const MAX_CONNECTIONS = 4096

/**
 * So many in all, 4096 by default. One network (see `networkOf`) must not take all places, so it may have a quarter of them: but those of trusted
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
  const byNetwork = new Map<string, number>()
  let all = 0
  return {
    enter(address) {
      const counts = !trusted.has(address)
      const network = networkOf(address)
      const own = byNetwork.get(network) ?? 0
      if (all >= maxConnections || (counts && own >= Math.max(1, maxConnections / 4))) return undefined
      all++
      if (counts) byNetwork.set(network, own + 1)
      return {
        [Symbol.dispose]() {
          all--
          const left = (byNetwork.get(network) ?? 0) - 1
          if (counts && left > 0) byNetwork.set(network, left)
          else if (counts) byNetwork.delete(network)
        },
      }
    },
  }
}
