import { join } from 'node:path'
import { BaleError } from '#base'
import { writeFileWithMode } from '#host/file'
import type { Connection, Container } from '../model/index.ts'
import { assertKernelDirectories, assertMountsOffKernel, type CheckedMount } from '../process/index.ts'
import { ensureApparmorProfile } from '../runtime/index.ts'
import {
  deviceAccess,
  type NamespaceChoice,
  type OciConfig,
  type OciMount,
  processEnvironment,
  readMachine,
  resolveUser,
  runtimeSpec,
} from '../spec/index.ts'
import { findContainer, type Machinery, mustRun, pathsOf, see } from '../state/index.ts'
import { mountsNow } from '../volume/index.ts'
import { etcFiles } from './etc-files.ts'
import { mountPointKind } from './resolve-mounts.ts'

/** What a start has prepared before the configuration is made. */
export interface Prepared {
  rootfsPath: string
  network: NamespaceChoice
  /** On the container's own networks. */
  connections: readonly Connection[]
  /** The container whose network this one uses, and with it host name, hosts and name servers. */
  sharedWith?: Container
  warn: (text: string) => void
}

/** Writes the container's /etc files and makes its runtime configuration. */
export async function containerSpec(machinery: Machinery, record: Container, prepared: Prepared): Promise<OciConfig> {
  const { config, host } = record.document
  const mounts = await mountsNow(machinery, record.document.mounts)
  const { Hostname: ownName, Domainname: domainname } = prepared.sharedWith?.document.config ?? config
  assertKernelDirectories(prepared.rootfsPath)
  assertMountsOffKernel(prepared.rootfsPath, checkedMounts(mounts), { masked: !host.privileged })
  const files = await etcMounts(machinery, record, prepared)
  const wanted = mounts.map(ociMount)
  const covered = new Set(wanted.map((mount) => mount.destination))
  const init = host.init ? initProgram(machinery) : undefined
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
  const terminal = config.Tty
  const spec = runtimeSpec({
    id: record.id,
    rootfsPath: prepared.rootfsPath,
    process: {
      args: init ? [INIT_PATH, '--', ...args] : args,
      env: processEnvironment(config.Env, { hostname: ownName, terminal }),
      cwd: config.WorkingDir || '/',
      terminal,
      user: resolveUser(prepared.rootfsPath, config.User ?? '', host.groupAdd),
    },
    hostname: ownName,
    domainname,
    network: prepared.network,
    pid: await sharedNamespace(machinery, host.pidMode, 'pid'),
    ipc: await sharedNamespace(machinery, host.ipcMode, 'ipc'),
    uts: host.utsMode === 'host' ? 'host' : 'own',
    host,
    mounts: outermostFirst([
      ...files.filter((mount) => !covered.has(mount.destination)),
      ...(init ? [{ destination: INIT_PATH, type: 'bind', source: init, options: ['bind', 'ro'] }] : []),
      ...wanted,
    ]),
    devices: deviceAccess(host.devices ?? [], host.privileged),
    machine: readMachine(),
    warn: prepared.warn,
  })
  const { apparmorProfile } = spec.process
  if (apparmorProfile !== undefined)
    await ensureApparmorProfile(apparmorProfile, { programs: machinery.programs, run: machinery.store.run })
  return spec
}

/** Mounts of files have a source; a tmpfs has none. */
export function checkedMounts(mounts: Container['document']['mounts']): CheckedMount[] {
  return mounts.map(({ type, destination, source }) => ({ destination, ...(type !== 'tmpfs' && { source }) }))
}

/** A volume on /etc must not hide the /etc/hosts that is mounted there, nor one on /data the other on /data/cache. */
function outermostFirst(mounts: readonly OciMount[]): OciMount[] {
  const depth = ({ destination }: OciMount) => destination.split('/').filter(Boolean).length
  return mounts.toSorted((one, other) => depth(one) - depth(other))
}

const INIT_PATH = '/sbin/docker-init'

function initProgram({ programs }: Machinery): string {
  const found = ['catatonit', 'docker-init', 'tini-static', 'tini'].map((name) => programs.find(name)).find(Boolean)
  if (found) return found
  throw new BaleError('UNSUPPORTED_HOST', 'an init process needs catatonit or tini, and neither is installed', {
    hint: 'apt-get install catatonit',
  })
}

/** docker's defaults hold unless the opposite is requested. */
function tmpfsDefaults(options: readonly string[]): string[] {
  const opposite: Record<string, string> = { noexec: 'exec', nosuid: 'suid', nodev: 'dev' }
  return Object.keys(opposite).filter((word) => !options.includes(opposite[word]!) && !options.includes(word))
}

function ociMount(mount: Container['document']['mounts'][number]): OciMount {
  const { destination, readOnly } = mount
  if (mount.type === 'tmpfs')
    return {
      destination,
      type: 'tmpfs',
      source: 'tmpfs',
      options: [...tmpfsDefaults(mount.options), ...mount.options, ...(readOnly ? ['ro'] : [])],
    }
  const bind = mount.recursive === false ? 'bind' : 'rbind'
  // Since docker 25 mounts below a read-only bind are read-only, too; crun 1.8 cannot do that for a file.
  const below = bind === 'rbind' && !mount.writableBelow && mountPointKind(mount) === 'directory'
  const readOnlyWord = below ? 'rro' : 'ro'
  // crun confuses the recursion of the two options.
  const propagation = (mount.propagation || 'rprivate').replace(bind === 'bind' ? /^r/ : /^$/, '')
  return {
    destination,
    type: 'bind',
    source: mount.source,
    options: [bind, propagation, ...(readOnly ? [readOnlyWord] : [])],
  }
}

async function etcMounts(machinery: Machinery, record: Container, prepared: Prepared): Promise<OciMount[]> {
  // Containers that share a network share its names: the other one's files themselves, so that a change is seen by both.
  const { directory } = pathsOf(machinery, prepared.sharedWith?.id ?? record.id)
  const network = prepared.network === 'host' ? 'host' : prepared.connections
  const files: Record<string, string> = prepared.sharedWith ? {} : etcFiles(record, network)
  for (const [name, text] of Object.entries(files)) await writeFileWithMode(join(directory, name), text, 0o644)
  return ['resolv.conf', 'hostname', 'hosts'].map((name) => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source: join(directory, name),
    options: ['rbind', 'rprivate'],
  }))
}

/** `host`, `container:NAME`, or a namespace of its own. A container's namespace can be shared only while that container runs (R19). */
export async function sharedNamespace(
  machinery: Machinery,
  mode: string | undefined,
  kind: 'pid' | 'ipc' | 'net',
): Promise<NamespaceChoice> {
  if (mode === undefined || mode === '' || mode === 'private' || mode === 'shareable') return 'own'
  if (mode === 'host') return 'host'
  if (!mode.startsWith('container:')) throw new BaleError('INVALID_ARGUMENT', `invalid ${kind} mode: ${mode}`)
  const other = await see(machinery, await findContainer(machinery, mode.slice('container:'.length)))
  const { state } = mustRun(other)
  return { path: `/proc/${state.process!.pid}/ns/${kind}` }
}
