import { BaleError } from '#base'
import type { Resources, RestartPolicy } from '../model/index.ts'
import { checkResources, possibleResources, readMachine, resourceLimits, swapLimit } from '../spec/index.ts'
import { findContainer, lockContainer, type Machinery, see } from '../state/index.ts'
import { renamedConnections } from './container-networks.ts'
import { freeName } from './create.ts'

export async function renameContainer(machinery: Machinery, idOrName: string, newName: string): Promise<void> {
  const record = await findContainer(machinery, idOrName)
  const name = newName.replace(/^\//, '')
  if (name === record.name)
    throw new BaleError('INVALID_ARGUMENT', 'Renaming a container with the same name as its current name')
  const free = await freeName(machinery, newName)
  // A start in progress would give the name server the old name.
  await using _ = await lockContainer(machinery, record.id)
  const renamed = await machinery.records.containers.update(record.id, (one) => {
    const named = { ...one, name: free }
    return { ...named, document: { ...one.document, connections: renamedConnections(named) } }
  })
  if (!renamed) return
  const { connections } = renamed.document
  const aliasesOn = (networkId: string) => connections.find((one) => one.networkId === networkId)?.aliases ?? []
  await machinery.networks.rename(record.id, free, aliasesOn)
}

/**
 * Changes limits (at once, when it runs) and the restart policy. The request is merged with what the container
 * has, so a later start applies all of it. Returns warnings.
 */
export async function updateContainer(
  machinery: Machinery,
  idOrName: string,
  change: { resources?: Resources; restart?: RestartPolicy },
): Promise<string[]> {
  const { id } = await findContainer(machinery, idOrName)
  // A start in progress would use the old limits.
  await using _ = await lockContainer(machinery, id)
  const record = await findContainer(machinery, id)
  const { host } = record.document
  if (change.restart && change.restart.name !== 'no' && host.autoRemove)
    throw new BaleError('CONFLICT', 'Restart policy cannot be updated because AutoRemove is enabled for the container')
  const possible = possibleResources(change.resources ?? {})
  const warnings = [...checkResources(change.resources ?? {}, undefined, { update: true }), ...possible.warnings]
  const resources = change.resources ? joined(host.resources ?? {}, possible.resources) : host.resources
  const limits = resourceLimits(resources ?? {}, readMachine())
  const { status } = await see(machinery, record)
  if (change.resources && (status === 'running' || status === 'paused'))
    await (await machinery.runtime(record.document.runtime)).update(id, limits)
  await machinery.records.containers.update(id, (one) => ({
    ...one,
    document: {
      ...one.document,
      host: { ...one.document.host, resources, ...(change.restart && { restart: change.restart }) },
    },
  }))
  return warnings
}

/** 0 leaves a limit as it is. Source: moby, Container.UpdateContainer. */
function joined(before: Resources, change: Resources): Resources {
  const conflict = (text: string) => new BaleError('CONFLICT', text)
  if (change.nanoCpus && before.cpuPeriod)
    throw conflict('Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set')
  if (change.nanoCpus && before.cpuQuota)
    throw conflict('Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set')
  if (change.cpuPeriod && before.nanoCpus)
    throw conflict('Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set')
  if (change.cpuQuota && before.nanoCpus)
    throw conflict('Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set')
  const swap = swapLimit(before)
  if (change.memory && !change.memorySwap && change.memory > (swap ?? 0))
    throw conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    )
  const set = Object.entries(change).filter(([, value]) => value !== 0 && value !== '' && value !== undefined)
  const resources: Resources = {
    ...before,
    ...(swap !== undefined && { memorySwap: swap }),
    ...Object.fromEntries(set),
  }
  // Each half may be right alone.
  checkResources(resources, undefined, { update: true })
  return resources
}
