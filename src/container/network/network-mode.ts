import { BaleError, printable } from '#base'
import {
  type ContainerOptions,
  isDefaultNetwork,
  isOwnNetwork,
  type NetworkRequest,
  sharedWith,
} from '../model/index.ts'

/** Refuses options without effect on the chosen network, with docker's messages. Throws INVALID_ARGUMENT. */
export function assertNetworkOptions({ config, host }: ContainerOptions): void {
  const mode = host.network ?? host.networks?.[0]?.network
  const shared = sharedWith(mode) !== undefined
  if (sharedWith(mode) === '') throw refused('invalid container format container:<name|id>')
  const conflicts: [boolean, string][] = [
    [Boolean(config.hostname), 'hostname and the network mode'],
    [Boolean(host.dns?.length), 'dns and the network mode'],
    [Boolean(host.extraHosts?.length), 'custom host-to-IP mapping and the network mode'],
    [Boolean(host.ports?.length) || host.publishAll === true, 'port publishing and the container type network mode'],
    [Boolean(config.expose?.length), 'port exposing and the container type network mode'],
    [host.macAddress !== undefined, 'mac-address and the network mode'],
  ]
  const conflict = shared && conflicts.find(([given]) => given)
  if (conflict) throw refused(`conflicting options: ${conflict[1]}`)
  if (config.hostname && host.utsMode === 'host') throw refused('conflicting options: hostname and the UTS mode')
  const { network = '', networkAliases: aliases, ipAddress, ipv6Address, macAddress } = host
  const isUser = (name: string | undefined) => isOwnNetwork(name) && !isDefaultNetwork(name)
  assertEndpoint({ network, aliases, ipAddress, ipv6Address, macAddress }, { userDefined: isUser(mode) })
  const requests = host.networks ?? []
  for (const request of requests) assertEndpoint(request, { userDefined: isUser(request.network) })
  if (requests.length > 1 && !requests.every((request) => isUser(request.network)))
    throw refused('conflicting options: cannot attach both user-defined and non-user-defined network-modes')
  const names = requests.map((request) => request.network)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw refused(`network "${printable(twice)}" is specified multiple times`)
}

/** The requested options on one network; docker's messages for impossible ones. Throws INVALID_ARGUMENT, UNSUPPORTED. */
export function assertEndpoint(
  { aliases = [], ipAddress, ipv6Address, macAddress, driverOptions }: NetworkRequest,
  { userDefined }: { userDefined: boolean },
): void {
  if ((ipAddress || ipv6Address) && !userDefined)
    throw refused('user specified IP address is supported on user defined networks only')
  if (aliases.length && !userDefined)
    throw refused('network-scoped alias is supported only for containers in user defined networks')
  // The name server's file is read line by line and word by word (R10).
  for (const alias of aliases)
    if (!/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252}$/.test(alias)) throw refused(`invalid network alias: ${printable(alias)}`)
  if (macAddress !== undefined && !isUnicastMac(macAddress))
    throw refused(`invalid MAC address: ${printable(macAddress)}`)
  for (const name of Object.keys(driverOptions ?? {}))
    throw new BaleError('UNSUPPORTED', `the driver option ${printable(name)} of a connection is not supported`)
}

function isUnicastMac(text: string): boolean {
  return /^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$/.test(text) && text !== '00:00:00:00:00:00'
}

function refused(message: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', message)
}
