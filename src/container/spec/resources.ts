import { statSync } from 'node:fs'
import { BaleError, errnoOf, printable } from '#base'
import type { DeviceLimit, Resources } from '../model/index.ts'
import { deviceNumbers } from './devices.ts'
import type { Machine } from './machine.ts'
import type { OciResources, OciThrottle } from './oci-config.ts'

const CPU_PERIOD = 100_000

/** docker's resource flags as the runtime's limits. The values must have been checked (`checkResources`). */
export function resourceLimits(asked: Resources, machine: Pick<Machine, 'controllers'>): OciResources {
  const limits: OciResources = {}
  const memory = memoryLimits(asked)
  if (Object.keys(memory).length) limits.memory = memory
  const cpu = cpuLimits(asked)
  if (Object.keys(cpu).length) limits.cpu = cpu
  if (asked.pidsLimit) limits.pids = { limit: asked.pidsLimit < 0 ? -1 : asked.pidsLimit }
  const block = blockLimits(asked)
  if (Object.keys(block).length) limits.blockIO = block
  const needed = { memory: limits.memory, cpu: limits.cpu, pids: limits.pids, blkio: limits.blockIO }
  const alias: Record<string, string> = { blkio: 'io' }
  for (const [name, value] of Object.entries(needed))
    if (value && !machine.controllers.has(name) && !machine.controllers.has(alias[name] ?? name))
      throw new BaleError('UNSUPPORTED_HOST', `this machine's kernel has no ${name} controller for that limit`)
  return limits
}

/**
 * The same without limits that are -1, or `resources` itself when there are none: a new control group has no limits anyway,
 * and crun 1.8 cannot write these.
 */
export function withoutLifted(resources: OciResources): OciResources {
  if (!isLifted(resources.pids?.limit) && !isLifted(resources.cpu?.quota)) return resources
  const { pids, cpu, ...others } = resources
  const { quota, ...ofCpu } = cpu ?? {}
  const keptCpu = { ...ofCpu, ...(quota !== undefined && !isLifted(quota) && { quota }) }
  return {
    ...others,
    ...(pids && !isLifted(pids.limit) && { pids }),
    ...(Object.keys(keptCpu).length > 0 && { cpu: keptCpu }),
  }
}

/** True for -1, which stands for no limit. */
export function isLifted(limit: number | undefined): boolean {
  return limit !== undefined && limit < 0
}

function memoryLimits(asked: Resources): NonNullable<OciResources['memory']> {
  return {
    ...(asked.memory && { limit: asked.memory, swap: swapLimit(asked)! }),
    ...(asked.memoryReservation && { reservation: asked.memoryReservation }),
    ...(asked.memorySwappiness !== undefined && asked.memorySwappiness >= 0 && { swappiness: asked.memorySwappiness }),
    ...(asked.oomKillDisable && { disableOOMKiller: true }),
  }
}

/** Bytes of memory and swap together: as much swap as memory unless requested otherwise. */
export function swapLimit({ memory, memorySwap }: Resources): number | undefined {
  return memorySwap || (memory ? memory * 2 : undefined)
}

function cpuLimits(asked: Resources): NonNullable<OciResources['cpu']> {
  return {
    ...(asked.cpuShares && { shares: asked.cpuShares }),
    ...(asked.nanoCpus && { quota: Math.round((asked.nanoCpus * CPU_PERIOD) / 1e9), period: CPU_PERIOD }),
    ...(asked.cpuQuota && { quota: asked.cpuQuota }),
    ...(asked.cpuPeriod && { period: asked.cpuPeriod }),
    ...(asked.cpusetCpus && { cpus: asked.cpusetCpus }),
    ...(asked.cpusetMems && { mems: asked.cpusetMems }),
  }
}

function blockLimits(asked: Resources): NonNullable<OciResources['blockIO']> {
  const throttles = (limits: readonly DeviceLimit[]) => limits.map(throttle)
  return {
    ...(asked.blkioWeight && { weight: asked.blkioWeight }),
    ...(asked.deviceReadBps?.length && { throttleReadBpsDevice: throttles(asked.deviceReadBps) }),
    ...(asked.deviceWriteBps?.length && { throttleWriteBpsDevice: throttles(asked.deviceWriteBps) }),
    ...(asked.deviceReadIops?.length && { throttleReadIOPSDevice: throttles(asked.deviceReadIops) }),
    ...(asked.deviceWriteIops?.length && { throttleWriteIOPSDevice: throttles(asked.deviceWriteIops) }),
  }
}

/** The kernel counts for block devices only, by their numbers. Source: makedev(3). */
function throttle({ path, rate }: DeviceLimit): OciThrottle {
  try {
    const device = statSync(path)
    if (!device.isBlockDevice()) throw new BaleError('INVALID_ARGUMENT', `${printable(path)} is not a block device`)
    return { ...deviceNumbers(device), rate }
  } catch (cause) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(errnoOf(cause) ?? '')) throw cause
    throw new BaleError('INVALID_ARGUMENT', `stat ${printable(path)}: no such file or directory`, { cause })
  }
}
