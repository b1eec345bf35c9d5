import { BaleError } from '#base'
import type { Resources } from '../options.ts'
import type { Machine } from './machine.ts'
import type { OciResources } from './oci-config.ts'

const MINIMUM_MEMORY = 6 * 1024 * 1024
const CPU_PERIOD = 100_000

/** docker's resource flags as the runtime's limits. Throws INVALID_ARGUMENT where docker does. */
export function resourceLimits(asked: Resources, machine: Pick<Machine, 'controllers'>): OciResources {
  checkResources(asked)
  const limits: OciResources = {}
  const memory = memoryLimits(asked)
  if (Object.keys(memory).length) limits.memory = memory
  const cpu = cpuLimits(asked)
  if (Object.keys(cpu).length) limits.cpu = cpu
  if (asked.pidsLimit) limits.pids = { limit: asked.pidsLimit < 0 ? -1 : asked.pidsLimit }
  if (asked.blkioWeight) limits.blockIO = { weight: asked.blkioWeight }
  const needed = { memory: limits.memory, cpu: limits.cpu, pids: limits.pids, blkio: limits.blockIO }
  const alias: Record<string, string> = { blkio: 'io' }
  for (const [name, value] of Object.entries(needed))
    if (value && !machine.controllers.has(name) && !machine.controllers.has(alias[name] ?? name))
      throw new BaleError('UNSUPPORTED_HOST', `this machine's kernel has no ${name} controller for that limit`)
  return limits
}

function checkResources(asked: Resources): void {
  if (asked.memory && asked.memory < MINIMUM_MEMORY)
    throw new BaleError('INVALID_ARGUMENT', 'Minimum memory limit allowed is 6MB')
  if (asked.memorySwap && asked.memorySwap > 0 && !asked.memory)
    throw new BaleError('INVALID_ARGUMENT', 'You should always set the Memory limit when using Memoryswap limit')
  if (asked.memorySwap && asked.memorySwap > 0 && asked.memorySwap < asked.memory!)
    throw new BaleError('INVALID_ARGUMENT', 'Minimum memoryswap limit should be larger than memory limit')
  if (asked.memoryReservation && asked.memory && asked.memoryReservation > asked.memory)
    throw new BaleError('INVALID_ARGUMENT', 'Minimum memory limit can not be less than memory reservation limit')
  if (asked.nanoCpus && (asked.cpuQuota || asked.cpuPeriod))
    throw new BaleError('INVALID_ARGUMENT', 'CPUs cannot be set together with a CPU quota or period')
}

function memoryLimits(asked: Resources): NonNullable<OciResources['memory']> {
  return {
    ...(asked.memory && { limit: asked.memory, swap: asked.memorySwap || asked.memory * 2 }),
    ...(asked.memoryReservation && { reservation: asked.memoryReservation }),
    ...(asked.memorySwappiness !== undefined && asked.memorySwappiness >= 0 && { swappiness: asked.memorySwappiness }),
    ...(asked.oomKillDisable && { disableOOMKiller: true }),
  }
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
