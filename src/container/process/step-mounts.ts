import { statSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { randomHex, writeFileWithMode } from '#host/file'
import type { RunStepOptions } from '../model/index.ts'
import {
  defaultNetwork,
  hostResolvFile,
  hostsFile,
  machineEtcFiles,
  machineResolvConf,
  resolvFile,
} from '../network/index.ts'
import type { OciMount } from '../spec/index.ts'
import { assertDeclaredOffKernel, assertMountsOffKernel } from './kernel-directories.ts'
import type { MountPoint } from './mount-points.ts'
import type { StepMachinery } from './step-machinery.ts'

/** The name docker gives build containers: programs that record it make the same layer everywhere. */
export const STEP_HOSTNAME = 'buildkitsandbox'

/** A Dockerfile is trusted no more than an image: what a step mounts may be filled by other steps. */
export function assertStepMounts({ rootfsPath, additionalMounts = [], insecure = false }: RunStepOptions): void {
  const mounts = additionalMounts.map(({ target, source }) => ({ destination: normalize(target), source }))
  for (const { destination, source } of mounts)
    if (source !== undefined) assertDeclaredOffKernel(destination, 'a mount of the step')
  assertMountsOffKernel(rootfsPath, mounts, { masked: !insecure })
}

/** Connects the network and writes the files of /etc; mounts these, then what the caller requested. */
export async function stepMounts(
  machinery: StepMachinery,
  directory: string,
  id: string,
  step: RunStepOptions,
): Promise<OciMount[]> {
  const address = step.network === 'bridge' ? await joinDefaultNetwork(machinery, id) : undefined
  const hostname = step.hostname ?? STEP_HOSTNAME
  const files = {
    'resolv.conf':
      step.network === 'host'
        ? hostResolvFile({ host: machineEtcFiles().resolvConf })
        : resolvFile({ host: machineResolvConf() }),
    hosts: hostsFile({
      extra: step.hosts,
      gateway: address?.gateway,
      ...(address && { own: { addresses: [address.address], names: [hostname] } }),
    }),
  }
  for (const [name, text] of Object.entries(files)) await writeFileWithMode(join(directory, name), text, 0o644)
  return [
    ...Object.keys(files).map((name) => bind(join(directory, name), `/etc/${name}`)),
    ...(step.additionalMounts ?? []).map((mount) =>
      mount.type === 'tmpfs'
        ? {
            destination: mount.target,
            type: 'tmpfs',
            source: 'tmpfs',
            options: ['nosuid', 'nodev', ...(mount.options ?? [])],
          }
        : bind(mount.source!, mount.target, [...(mount.readOnly ? ['ro'] : []), ...(mount.options ?? [])]),
    ),
  ]
}

async function joinDefaultNetwork({ records, networks }: StepMachinery, id: string) {
  const network = await defaultNetwork(records, () => ({ id: randomHex(32), created: Date.now() }))
  const connection = await networks.claim({ owner: id, network })
  await networks.createNamespace(id)
  await networks.connect({ owner: id, name: `step-${id.slice(0, 12)}`, network, connection })
  return connection
}

function bind(source: string, destination: string, options: string[] = []): OciMount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', ...options] }
}

/** What must be in the root file system before the runtime mounts. */
export function mountPointsOf(mounts: readonly OciMount[]): MountPoint[] {
  return [...KERNEL_POINTS, ...mounts.map((mount) => ({ destination: mount.destination, kind: kindOf(mount) }))]
}

const KERNEL_POINTS = ['/proc', '/dev', '/sys'].map((destination) => ({ destination, kind: 'directory' as const }))

function kindOf(mount: OciMount): 'file' | 'directory' {
  if (mount.type !== 'bind') return 'directory'
  return statSync(mount.source!).isDirectory() ? 'directory' : 'file'
}
