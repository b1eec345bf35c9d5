import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, type Progress } from '#base'
import { createNetworkNamespace, deleteNetworkNamespace, runProgram } from '#host'
import type { Programs } from '../runtime/index.ts'
import { type BridgeEntry, forgetBridge, namespaceLock, orphanedBridges } from './bridge-registry.ts'
import type { Firewall } from './firewall.ts'
import { portsOf } from './link.ts'
import type { Netavark } from './netavark.ts'

/**
 * netavark creates the chains that all networks share when they are missing: of two processes that do so at the same time,
 * for any networks and stores, one fails. Taken after a network's own lock.
 */
export function machineLock(progress?: Progress): Promise<AsyncDisposable> {
  return namespaceLock('netavark', progress)
}

export interface Bridges {
  /** Runs lines of ip(8) in our network namespace, all in one process. */
  ip(batch: readonly string[]): Promise<void>
  /** Removes a bridge and the rules of its network, which must have no containers. */
  takeDown(entry: BridgeEntry): Promise<void>
  takeDownOrphans(): Promise<number>
}

interface BridgesOptions {
  progress?: Progress
  programs: Programs
  driver: Netavark
  walls: Firewall
  /** Directory for network namespaces. */
  namespaces: string
}

export function openBridges({ progress, programs, driver, walls, namespaces }: BridgesOptions): Bridges {
  const env = { PATH: programs.searchPath }
  const ip: Bridges['ip'] = async (batch) => {
    const result = await runProgram(programs.need('ip'), ['-batch', '-'], { env, input: `${batch.join('\n')}\n` })
    if (result.code !== 0) throw new BaleError('NETWORK_SETUP_FAILED', `ip: ${result.stderr.trim()}`)
  }

  const takeDown: Bridges['takeDown'] = async ({ interfaceName, request }) => {
    // The anchor, and ports left by killed containers: netavark keeps a bridge that has ports.
    const ports = portsOf(interfaceName)
    const removals = ports.map((port) => `link del ${port}\n`).join('')
    // A port may vanish meanwhile, because its namespace was removed: the others are removed all the same.
    await runProgram(programs.need('ip'), ['-force', '-batch', '-'], { env, input: removals })
    const namespace = join(namespaces, `down-${interfaceName}`)
    await deleteNetworkNamespace(namespace)
    await createNetworkNamespace(namespace)
    try {
      // netavark deletes bridge and rules with the last container's interface: here one of a container that never existed.
      const standIn = ['link', 'add', 'eth0', 'type', 'bridge']
      await runProgram(programs.need('ip'), standIn, { env, networkNamespace: namespace })
      await using _ = await machineLock(progress)
      await driver.teardown(namespace, request)
    } finally {
      await deleteNetworkNamespace(namespace)
    }
    await forgetBridge(interfaceName)
    await walls.refresh()
  }

  return {
    ip,
    takeDown,
    async takeDownOrphans() {
      const orphans = await orphanedBridges()
      for (const entry of orphans) {
        if (existsSync(`/sys/class/net/${entry.interfaceName}`)) await takeDown(entry)
        else await forgetBridge(entry.interfaceName)
      }
      return orphans.length
    },
  }
}
