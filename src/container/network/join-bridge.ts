import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError } from '#base'
import { addBridgePort, runProgram } from '#host'
import type { Connection, Network, NetworkDocument } from '../model/index.ts'
import type { Programs } from '../runtime/index.ts'
import { bridgeSettings } from './bridge-options.ts'
import type { Bridges } from './bridges.ts'
import { deleteLink, raiseLink } from './link.ts'
import { anchorNames, macOf } from './netavark-request.ts'

/** True when a bridge is up with its rules, and stays up. */
export function isAnchored(document: NetworkDocument): boolean {
  return existsSync(`/sys/class/net/${anchorNames(document)[0]}`)
}

/**
 * netavark removes a bridge with its last container; a link that belongs to nobody keeps it for the next one. The bridge
 * gets a MAC address of its own: otherwise it has the lowest one of its ports, which changes when a container joins or
 * leaves, and the others cannot reach the gateway until they resolve its address again, seconds later.
 */
export async function addAnchor({ ip }: Bridges, document: NetworkDocument): Promise<void> {
  if (isAnchored(document)) return
  const [anchor, peer] = anchorNames(document)
  await ip([
    `link set ${document.interfaceName} address ${macOf(document.gateway)}`,
    `link add ${anchor} type veth peer name ${peer}`,
    `link set ${anchor} master ${document.interfaceName}`,
  ])
}

/**
 * Joins a bridge that is up, its rules in place, with one call of ip(8) instead of netavark's fifteen programs:
 * the pair is made inside the namespace and its other end given to ours.
 */
export async function joinBridge(
  bridges: Bridges & { programs: Programs },
  place: { link: string; namespace: string },
  { document }: Network,
  connection: Connection,
): Promise<void> {
  const { programs } = bridges
  const { link } = place
  // It may be left from the last run: the kernel keeps a namespace for a while, and for as long as somebody is in it.
  await deleteLink(bridges, link)
  const { interfaceName } = connection
  const size = bridgeSettings(document.options).mtu
  const mtu = size === undefined ? '' : ` mtu ${size}`
  const inside = [
    `link set lo up`,
    `link add ${interfaceName} address ${connection.mac}${mtu} type veth peer name ${link}${mtu} netns ${process.pid}`,
    `addr add ${connection.address}/${connection.prefix} brd + dev ${interfaceName}`,
    `link set ${interfaceName} up`,
    // Of several, `setDefaultRoute` leaves one.
    ...(document.internal ? [] : [`route append default via ${connection.gateway}`]),
  ]
  const result = await runProgram(programs.need('ip'), ['-batch', '-'], {
    env: { PATH: programs.searchPath },
    input: `${inside.join('\n')}\n`,
    networkNamespace: place.namespace,
  })
  if (result.code !== 0)
    throw new BaleError('NETWORK_SETUP_FAILED', `cannot connect the container: ${result.stderr.trim()}`)
  try {
    addBridgePort(document.interfaceName, link)
    raiseLink(link)
  } catch (cause) {
    throw new BaleError('NETWORK_SETUP_FAILED', `cannot connect the container: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Settings of a bridge's port that netavark does not make. A container reaches its own published port only when its
 * port sends packets back where they came from; isolated ports reach the bridge but not each other.
 */
export async function setPortFlags(document: NetworkDocument, port: string): Promise<void> {
  const flags = `/sys/class/net/${document.interfaceName}/brif/${port}`
  await writeFile(join(flags, 'hairpin_mode'), '1')
  if (!bridgeSettings(document.options).betweenContainers) await writeFile(join(flags, 'isolated'), '1')
}
