import {
  DEFAULT_NETWORK,
  type HostOptions,
  isDefaultNetwork,
  isOwnNetwork,
  type NetworkRequest,
} from '../model/index.ts'

/** The networks that options ask for: the single options belong to the first. None where the mode gives no network. */
export function networkRequests(host: HostOptions): NetworkRequest[] {
  const mode = host.network ?? host.networks?.[0]?.network
  if (!isOwnNetwork(mode)) return []
  const [first = { network: mode ?? DEFAULT_NETWORK }, ...more] = host.networks ?? []
  const own: NetworkRequest = {
    ...first,
    network: isDefaultNetwork(first.network) ? DEFAULT_NETWORK : first.network,
    aliases: first.aliases ?? host.networkAliases,
    ipAddress: first.ipAddress ?? host.ipAddress,
    ipv6Address: first.ipv6Address ?? host.ipv6Address,
    macAddress: first.macAddress ?? host.macAddress,
  }
  return [withoutUndefined(own), ...more.map(withoutUndefined)]
}

function withoutUndefined(request: NetworkRequest): NetworkRequest {
  const given = Object.entries(request).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as unknown as NetworkRequest
}
