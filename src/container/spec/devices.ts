import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { BaleError, errnoOf } from '#base'
import type { DeviceRequest } from '../model/index.ts'
import { DEVICE_RULES } from './default-paths.ts'
import type { OciDevice, OciDeviceRule } from './oci-config.ts'

/** Device nodes and the rules that allow them. */
export interface DeviceAccess {
  nodes: OciDevice[]
  rules: OciDeviceRule[]
}

/** The devices of `--device` (a directory means all devices in it), or with `privileged` all of the machine's. */
export function deviceAccess(requests: readonly DeviceRequest[], privileged = false): DeviceAccess {
  if (privileged) return { nodes: allDevices('/dev'), rules: [{ allow: true, access: 'rwm' }] }
  const access: DeviceAccess = { nodes: [], rules: [...DEVICE_RULES] }
  for (const request of requests) {
    if (!/^[rwm]+$/.test(request.permissions))
      throw new BaleError('INVALID_ARGUMENT', `invalid device mode: ${request.permissions}`)
    for (const node of requested(request)) {
      access.nodes.push(node)
      const { type, major, minor } = node
      access.rules.push({ allow: true, type, major, minor, access: request.permissions })
    }
  }
  return access
}

function requested(request: DeviceRequest): OciDevice[] {
  let stats: Stats
  try {
    stats = statSync(request.hostPath)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    throw new BaleError('INVALID_ARGUMENT', `no such device: ${request.hostPath}`, { cause })
  }
  if (stats.isDirectory())
    return allDevices(request.hostPath).map((node) => ({
      ...node,
      path: join(request.containerPath, node.path.slice(request.hostPath.length)),
    }))
  const node = deviceNode(request.containerPath, stats)
  if (!node) throw new BaleError('INVALID_ARGUMENT', `not a device: ${request.hostPath}`)
  return [node]
}

/** What the runtime makes itself, or what belongs to one terminal. */
const NOT_COPIED = new Set(['/dev/pts', '/dev/shm', '/dev/mqueue', '/dev/fd', '/dev/console', '/dev/ptmx', '/dev/tty'])

function allDevices(directory: string): OciDevice[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    if (NOT_COPIED.has(path)) return []
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats?.isDirectory()) return allDevices(path)
    const node = stats && deviceNode(path, stats)
    return node ? [node] : []
  })
}

function deviceNode(path: string, stats: Stats): OciDevice | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined
  const { uid, gid } = stats
  return {
    type: stats.isBlockDevice() ? 'b' : 'c',
    path,
    ...deviceNumbers(stats),
    fileMode: stats.mode & 0o777,
    uid,
    gid,
  }
}

/** Linux's encoding of st_rdev. Source: makedev(3). */
export function deviceNumbers({ rdev }: Pick<Stats, 'rdev'>): { major: number; minor: number } {
  const device = BigInt(rdev)
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn)),
  }
}
