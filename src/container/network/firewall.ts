import { BaleError, type Progress } from '#base'
import { runProgram } from '#host'
import type { Programs } from '../runtime/index.ts'
import { type BridgeEntry, bridgesHere, namespaceLock } from './bridge-registry.ts'

const CHAIN = 'BALE-FORWARD'

/**
 * The walls between networks: a network is reached from outside, other networks included, only over its published ports,
 * and an internal one has no way out. netavark's own rules only list what may pass.
 */
export interface Firewall {
  /** Replaces the rules by those that the bridges of this network namespace need, in one step. */
  refresh(): Promise<void>
}

export function firewall(programs: Programs, progress?: Progress): Firewall {
  const env = { PATH: programs.searchPath }
  const run = async (name: string, args: readonly string[], input?: string) => {
    const result = await runProgram(programs.need(name), args, { env, ...(input !== undefined && { input }) })
    return result
  }
  const refresh = async (family: '' | '6', bridges: readonly BridgeEntry[]) => {
    const listed = await run(`ip${family}tables`, ['-w', '-S'])
    // A machine without IPv6 has no table for it, and needs none.
    if (listed.code !== 0 && bridges.length === 0) return
    if (listed.code !== 0) throw failure(listed.stderr)
    const script = rules(bridges, listed.stdout)
    if (script === undefined) return
    const restored = await run(`ip${family}tables-restore`, ['-w', '-n'], script)
    if (restored.code !== 0) throw failure(restored.stderr)
  }
  return {
    async refresh() {
      await using _ = await namespaceLock('firewall', progress)
      const bridges = await bridgesHere()
      await refresh('', bridges)
      if (bridges.some(hasIpv6) || programs.find('ip6tables')) await refresh('6', bridges.filter(hasIpv6))
    },
  }
}

function failure(said: string): BaleError {
  return new BaleError('NETWORK_SETUP_FAILED', `cannot set the rules between networks: ${said.trim()}`, {
    hint: 'containers need the filter table of iptables: check it with iptables -S',
  })
}

const networkOf = ({ request }: BridgeEntry) => Object.values(request.network_info)[0]!
const hasIpv6 = (entry: BridgeEntry) => networkOf(entry).ipv6_enabled

/**
 * Input of iptables-restore that replaces our chain and calls it before every other; undefined when nothing is to be
 * changed. `present` is the output of `iptables -S`.
 */
export function rules(bridges: readonly BridgeEntry[], present: string): string | undefined {
  const lines = present.split('\n')
  const jumps = lines.filter((line) => line === `-A FORWARD -j ${CHAIN}`).length
  const known = lines.includes(`-N ${CHAIN}`)
  if (bridges.length === 0 && !known) return undefined
  const removal = Array.from({ length: jumps }, () => `-D FORWARD -j ${CHAIN}`)
  const body =
    bridges.length === 0
      ? [`-F ${CHAIN}`, `-X ${CHAIN}`]
      : [
          `-A ${CHAIN} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN`,
          ...bridges.flatMap(wallsOf),
          `-I FORWARD 1 -j ${CHAIN}`,
        ]
  return ['*filter', `:${CHAIN} - [0:0]`, ...removal, ...body, 'COMMIT', ''].join('\n')
}

function wallsOf(entry: BridgeEntry): string[] {
  const name = entry.interfaceName
  const internal = networkOf(entry).internal
  return [
    // A packet of a published port already has its new destination here.
    ...(internal
      ? [`-A ${CHAIN} -i ${name} ! -o ${name} -j DROP`]
      : [`-A ${CHAIN} ! -i ${name} -o ${name} -m conntrack --ctstate DNAT -j ACCEPT`]),
    `-A ${CHAIN} ! -i ${name} -o ${name} -j DROP`,
  ]
}
