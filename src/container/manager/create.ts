import { mkdir } from 'node:fs/promises'
import { BaleError, type OperationOptions } from '#base'
import { parseExposedPorts } from '#docker'
import { thisProcess } from '#host'
import { removeTree } from '#host/file'
import type { Rootfs } from '#rootfs'
import type { Digest } from '#spec'
import { nameInUse } from '#store'
import {
  CONTAINER_DOCUMENT_VERSION,
  type Container,
  type ContainerMount,
  type ContainerOptions,
  type HostOptions,
  sharedWith,
  sharing,
} from '../model/index.ts'
import { assertNetworkOptions, assertResolvOptions, parseExtraHost } from '../network/index.ts'
import { assertMountsOffKernel, makeMountPoints } from '../process/index.ts'
import { networkRequests } from '../records/index.ts'
import { checkLogOptions } from '../runtime/index.ts'
import {
  boundingCapabilities,
  checkOomScore,
  checkResources,
  parseSecurityOptions,
  possibleResources,
  readMachine,
  resourceLimits,
  sysctls,
} from '../spec/index.ts'
import { lockContainer, type Machinery, newId, pathsOf, see } from '../state/index.ts'
import { fillVolume, removeVolume } from '../volume/index.ts'
import { checkedMounts } from './container-spec.ts'
import { effectiveConfig } from './effective-config.ts'
import { checkContainerName, madeUpName } from './names.ts'
import { giveBack } from './own-layer.ts'
import {
  askedTargets,
  mountPointKind,
  mountPointMode,
  mountRequests,
  mountsFrom,
  resolveMounts,
} from './resolve-mounts.ts'

/** /etc files that bale writes for every container. */
const ETC_FILES = ['/etc/resolv.conf', '/etc/hostname', '/etc/hosts']
const KERNEL_DIRECTORIES = ['/proc', '/dev', '/sys']

/**
 * Makes a container: its own layer, its volumes, its record; nothing runs yet. After a failure everything is undone.
 * With `keepMounted` the root file system stays mounted for a start that follows, and until then no prune removes the container
 * while this process lives.
 */
export async function createContainer(
  machinery: Machinery,
  options: ContainerOptions,
  { signal, progress, keepMounted = false }: OperationOptions & { keepMounted?: boolean } = {},
): Promise<Container> {
  const id = newId()
  for (const text of checkOptions(options)) progress?.({ kind: 'warning', text })
  const possible = possibleResources(options.host.resources ?? {})
  for (const text of possible.warnings) progress?.({ kind: 'warning', text })
  const host = await withSharedById(machinery, { ...options.host, resources: possible.resources })
  const config = effectiveConfig(options, id)
  const from = await mountsFrom(machinery, host.volumesFrom ?? [], askedTargets(options))
  const requests = mountRequests(options, from)
  const name = options.name === undefined ? undefined : await freeName(machinery, options.name)
  const paths = pathsOf(machinery, id)
  let mounts: ContainerMount[] = []
  let rootfs: Rootfs | undefined
  // Marks the directory as in use for a sweep; the mark ends with this process.
  await using _ = await lockContainer(machinery, id, { signal })
  try {
    await mkdir(paths.directory, { recursive: true, mode: 0o700 })
    mounts = await resolveMounts(machinery, requests)
    const { layers } = options.image
    rootfs = await machinery.rootfs.prepareRootfs(layers, { id, writable: paths, signal })
    assertMountsOffKernel(rootfs.path, checkedMounts([...from, ...mounts]), { masked: false })
    for (const [index, mount] of mounts.entries())
      if (mount.type === 'volume' && !requests[index]!.noCopy) await fillVolume(machinery, rootfs.path, mount)
    const all = [...from, ...mounts].toSorted(byDepth)
    const record: Container = {
      id,
      name: name ?? '',
      imageId: options.image.id,
      state: 'created',
      created: machinery.clock.now(),
      layers: [...layers] as Digest[],
      document: {
        image: options.image.reference,
        platform: options.image.platform,
        version: CONTAINER_DOCUMENT_VERSION,
        config,
        host: withoutNetworks(host),
        networks: networkRequests(host),
        connections: [],
        mounts: all,
        stubs: makeStubs(rootfs.path, all),
        state: {
          status: 'created',
          ...(keepMounted && { owner: thisProcess() }),
          exitCode: 0,
          oomKilled: false,
          restartCount: 0,
          stopRequested: false,
        },
      },
    }
    const added = await addRecord(machinery, record)
    if (!keepMounted) await giveBack(machinery, rootfs)
    return added
  } catch (error) {
    if (rootfs) await giveBack(machinery, rootfs)
    for (const mount of mounts) if (mount.anonymous) await removeVolume(machinery, mount.name!, { force: true })
    await removeTree(paths.directory)
    throw error
  }
}

/** All options are checked before anything is created. Returns warnings. */
function checkOptions(options: ContainerOptions): string[] {
  const { host, image } = options
  const machine = readMachine()
  parseSecurityOptions(host.securityOptions ?? [], { apparmor: machine.apparmor, privileged: host.privileged })
  boundingCapabilities({ add: host.capAdd, drop: host.capDrop, privileged: host.privileged }, machine.capabilities)
  const warnings = checkResources(host.resources ?? {})
  resourceLimits(host.resources ?? {}, machine)
  assertNetworkOptions(options)
  checkOomScore(host.oomScoreAdj)
  if (host.log) checkLogOptions(host.log)
  sysctls(host.sysctls ?? {}, { network: host.network !== 'host', ipc: isOwnIpc(host.ipcMode) })
  for (const entry of host.extraHosts ?? []) parseExtraHost(entry)
  assertResolvOptions(host)
  if (host.autoRemove && host.restart && host.restart.name !== 'no')
    throw new BaleError('INVALID_ARGUMENT', 'a container that is removed when it exits cannot have a restart policy')
  if (host.publishAll)
    for (const port of Object.keys(image.config.ExposedPorts ?? {}))
      parseExposedPorts(port, 'invalid exposed port of the image')
  return warnings
}

/** The list of networks is a member of the document: it changes while the container lives. */
function withoutNetworks({ networks, ...host }: HostOptions): HostOptions {
  const network = host.network ?? networks?.[0]?.network
  return { ...host, ...(network !== undefined && { network }) }
}

/** A name may pass to another container, an ID does not. One that does not exist yet is looked up by the start. */
async function withSharedById({ records }: Machinery, host: HostOptions): Promise<HostOptions> {
  const shared = sharedWith(host.network)
  const other = shared === undefined ? undefined : await records.containers.find(shared)
  return other ? { ...host, network: sharing(other.id) } : host
}

const isOwnIpc = (mode = 'private') => mode !== 'host' && !mode.startsWith('container:')

const byDepth = (one: ContainerMount, other: ContainerMount) =>
  one.destination.split('/').length - other.destination.split('/').length

/** Programs look for /.dockerenv to know that they are in a container; like the mount points it is no change of its own. */
function makeStubs(rootfs: string, mounts: readonly ContainerMount[]): string[] {
  return makeMountPoints(rootfs, [
    ...KERNEL_DIRECTORIES.map((destination) => ({ destination, kind: 'directory' as const })),
    ...mounts.map((mount) => ({
      destination: mount.destination,
      kind: mountPointKind(mount),
      mode: mountPointMode(mount),
    })),
    ...[...ETC_FILES, '/.dockerenv'].map((destination) => ({ destination, kind: 'file' as const })),
  ])
}

/** Checks a name. A container that is ending with --rm gives its name up. */
export async function freeName(machinery: Machinery, asked: string): Promise<string> {
  const name = checkContainerName(asked)
  const holder = (await machinery.records.containers.list()).find((one) => one.name === name)
  if (!holder) return name
  if ((await see(machinery, holder)).status === 'removing') {
    await machinery.records.containers.update(holder.id, (record) => ({
      ...record,
      name: `removing_${record.id.slice(0, 12)}`,
    }))
    return name
  }
  throw nameInUse(name, holder.id)
}

/** A made-up name that is taken is tried again with a number, as long as it takes. */
async function addRecord({ records }: Machinery, record: Container): Promise<Container> {
  if (record.name !== '') {
    await records.containers.add(record)
    return record
  }
  for (let attempt = 0; ; attempt++) {
    const named = { ...record, name: madeUpName(attempt) }
    try {
      await records.containers.add(named)
      return named
    } catch (error) {
      if (!(error instanceof BaleError && error.code === 'CONFLICT') || attempt === 20) throw error
    }
  }
}
