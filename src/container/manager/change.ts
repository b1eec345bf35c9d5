import { BaleError } from '#base'
import { acquireLock } from '#host/file'
import type { Resources, RestartPolicy } from '../options.ts'
import { readMachine } from '../spec/machine.ts'
import { resourceLimits } from '../spec/resources.ts'
import { freeName } from './create.ts'
import type { Container, ContainerDocument } from './document.ts'
import { type Machinery, pathsOf } from './machinery.ts'
import { findContainer, see } from './state.ts'

export async function renameContainer(machinery: Machinery, idOrName: string, newName: string): Promise<void> {
  const record = await findContainer(machinery, idOrName)
  const name = newName.replace(/^\//, '')
  if (name === record.name)
    throw new BaleError('INVALID_ARGUMENT', 'Renaming a container with the same name as its current name')
  const free = await freeName(machinery, newName)
  // A start under way would tell the name server the old name.
  await using _ = await acquireLock(pathsOf(machinery, record.id).lock)
  const renamed = await machinery.store.containers.update<ContainerDocument>(record.id, (one) => {
    const named = { ...one, name: free }
    const { connection } = one.document
    if (!connection) return named
    return { ...named, document: { ...one.document, connection: { ...connection, aliases: namesOn(named) } } }
  })
  if (renamed) await machinery.networks.rename(record.id, free, namesOn(renamed))
}

/** The names a container has on a network besides its own, in docker's order. */
export function namesOn({ id, name, document: { config, host } }: Container): string[] {
  const names = [name, ...(host.networkAliases ?? []), id.slice(0, 12), config.Hostname]
  const fullName = config.Domainname ? [`${config.Hostname}.${config.Domainname}`] : []
  return [...new Set([...names, ...fullName].filter(Boolean))]
}

/** Changes limits (at once, when it runs) and the restart policy. */
export async function updateContainer(
  machinery: Machinery,
  idOrName: string,
  change: { resources?: Resources; restart?: RestartPolicy },
): Promise<void> {
  const record = await findContainer(machinery, idOrName)
  const { host } = record.document
  if (change.restart && change.restart.name !== 'no' && host.autoRemove)
    throw new BaleError('CONFLICT', 'Restart policy cannot be updated because AutoRemove is enabled for the container')
  const resources = { ...host.resources, ...change.resources }
  const limits = resourceLimits(resources, readMachine())
  const { status } = await see(machinery, record)
  if (change.resources && (status === 'running' || status === 'paused'))
    await (await machinery.runtime(record.document.runtime)).update(record.id, limits)
  await machinery.store.containers.update<ContainerDocument>(record.id, (one) => ({
    ...one,
    document: {
      ...one.document,
      host: { ...one.document.host, resources, ...(change.restart && { restart: change.restart }) },
    },
  }))
}
