import { BaleError } from '#base'
import { runProgram } from '#host'
import type { Connection } from '../model/index.ts'
import { type NetworkParts, namespacePath } from './parts.ts'

/** The properties that decide which network the default route goes through. */
export interface GatewayCandidate {
  networkName: string
  internal: boolean
  gatewayPriority?: number
  hasIpv6: boolean
}

export function candidateOf({ networkName, internal, gatewayPriority, ipv6 }: Connection): GatewayCandidate {
  return { networkName, internal, gatewayPriority, hasIpv6: ipv6 !== undefined }
}

/**
 * The one that the default route goes through, as docker chooses: the highest priority, then both families before IPv4 alone,
 * then the first by name. Undefined when all are internal.
 */
export function chooseGateway<T extends GatewayCandidate>(candidates: readonly T[]): T | undefined {
  return candidates.filter(({ internal }) => !internal).toSorted(before)[0]
}

function before(one: GatewayCandidate, other: GatewayCandidate): number {
  const byPriority = (other.gatewayPriority ?? 0) - (one.gatewayPriority ?? 0)
  const byFamilies = Number(other.hasIpv6) - Number(one.hasIpv6)
  return byPriority || byFamilies || (one.networkName < other.networkName ? -1 : 1)
}

/**
 * Leaves a container one default route of each family, through the right one of its networks: every interface came with its
 * own. For containers on several networks, or on the last one of several.
 */
export async function setDefaultRoute(
  parts: NetworkParts,
  owner: string,
  connections: readonly Connection[],
): Promise<void> {
  const chosen = chooseGateway(connections.map((one) => ({ ...one, hasIpv6: one.ipv6 !== undefined })))
  if (!chosen) return
  const lines = [
    'route flush exact 0.0.0.0/0',
    `route add default via ${chosen.gateway} dev ${chosen.interfaceName}`,
    ...(chosen.ipv6
      ? [
          // Preferred to those of netavark, which have metric 100.
          `route replace default via ${chosen.ipv6.gateway} dev ${chosen.interfaceName} metric 50`,
        ]
      : []),
  ]
  await inNamespace(parts, owner, lines)
}

/** A container on no network can still reach itself. */
export function setLoopback(parts: NetworkParts, owner: string): Promise<void> {
  return inNamespace(parts, owner, ['link set lo up'])
}

async function inNamespace(parts: NetworkParts, owner: string, lines: readonly string[]): Promise<void> {
  const { programs } = parts
  const result = await runProgram(programs.need('ip'), ['-batch', '-'], {
    env: { PATH: programs.searchPath },
    input: `${lines.join('\n')}\n`,
    networkNamespace: namespacePath(parts, owner),
  })
  if (result.code !== 0)
    throw new BaleError('NETWORK_SETUP_FAILED', `cannot set up the container's network: ${result.stderr.trim()}`)
}
