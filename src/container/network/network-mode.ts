import { BaleError, printable } from '#base'
import type { ContainerOptions } from '../model/index.ts'

const SHARED = 'container:'

/** The container whose network another one uses, by name or ID; undefined for every other mode. */
export function sharedWith(mode: string | undefined): string | undefined {
  return mode?.startsWith(SHARED) ? mode.slice(SHARED.length) : undefined
}

export function sharing(containerId: string): string {
  return SHARED + containerId
}

/** `none`, `host` and the network of another container give no address, port or name of their own. */
export function isOwnNetwork(mode: string | undefined): boolean {
  return mode !== 'none' && mode !== 'host' && sharedWith(mode) === undefined
}

export function isDefaultNetwork(mode: string | undefined): boolean {
  return mode === undefined || mode === 'bridge' || mode === 'default'
}

/** Options that mean nothing with the network that was chosen, in docker's words. Throws INVALID_ARGUMENT. */
export function assertNetworkOptions({ config, host }: ContainerOptions): void {
  const { network: mode } = host
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
  const userDefined = isOwnNetwork(mode) && !isDefaultNetwork(mode)
  if (host.ipAddress && !userDefined)
    throw refused('user specified IP address is supported on user defined networks only')
  if (host.networkAliases?.length && !userDefined)
    throw refused('network-scoped alias is supported only for containers in user defined networks')
  // The name server's file is read line by line and word by word (R10).
  for (const alias of host.networkAliases ?? [])
    if (!/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252}$/.test(alias)) throw refused(`invalid network alias: ${printable(alias)}`)
  if (host.macAddress !== undefined && !isUnicastMac(host.macAddress))
    throw refused(`invalid MAC address: ${printable(host.macAddress)}`)
}

function isUnicastMac(text: string): boolean {
  return /^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$/.test(text) && text !== '00:00:00:00:00:00'
}

function refused(message: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', message)
}
