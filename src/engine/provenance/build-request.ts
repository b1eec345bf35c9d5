import { isUrl, withoutSecrets } from '#base'
import { type BuildOptions, type RecordedStep, secretId } from '#build'
import type { BuildRequest } from '#trust/attestation'
import { contextName } from './llb-steps.ts'

/** What was asked of a build, as docker's client asks BuildKit. Sources: docker/buildx, build/opt.go; docker's dockerfile.v0. */
export function requestOf(options: BuildOptions, steps: readonly RecordedStep[]): BuildRequest {
  return {
    args: Object.fromEntries([...given(options), ...settings(options)]),
    secrets: mountsOf(steps, 'secret'),
    ssh: mountsOf(steps, 'ssh'),
    locals: localsOf(options, steps),
  }
}

type Entry = [name: string, value: string]

function given({ buildArguments = new Map(), labels = {}, sourceDateEpoch }: BuildOptions): Entry[] {
  const values = new Map(buildArguments)
  // The client hands on what the environment says.
  if (sourceDateEpoch !== undefined && !values.has('SOURCE_DATE_EPOCH'))
    values.set('SOURCE_DATE_EPOCH', String(sourceDateEpoch))
  return [
    ...[...values].map(([name, value]): Entry => [`build-arg:${name}`, withoutSecrets(value)]),
    ...Object.entries(labels).map(([name, value]): Entry => [`label:${name}`, withoutSecrets(value)]),
  ]
}

function settings(options: BuildOptions): Entry[] {
  const { target, noCache, noCacheStages = [], network = 'bridge', hosts = [], shmSize, buildContexts = [] } = options
  const cacheless = noCache ? '' : noCacheStages.length > 0 ? noCacheStages.join(',') : undefined
  const entries: [name: string, value: string | undefined][] = [
    ['target', target],
    ['no-cache', cacheless],
    ['force-network-mode', network === 'bridge' ? undefined : network],
    ['add-hosts', hosts.length > 0 ? hosts.map((host) => host.replace(':', '=')).join(',') : undefined],
    ['shm-size', shmSize === undefined ? undefined : String(shmSize)],
    ...[...buildContexts].map(([name, place]): Entry => [`context:${name}`, shownPlace(name, place)]),
  ]
  return entries.filter((entry): entry is Entry => entry[1] !== undefined)
}

/** The place of a directory on the caller's machine is private: it is left out. */
function shownPlace(name: string, place: string): string {
  if (place.startsWith('oci-layout://')) return `oci-layout://${name}`
  return place.startsWith('docker-image://') || isUrl(place) ? withoutSecrets(place) : `local:${name}`
}

/** Mounts of one type that steps asked for, by their IDs; one is optional when no step needs it. */
function mountsOf(steps: readonly RecordedStep[], type: 'secret' | 'ssh'): BuildRequest['secrets'] {
  const mounts = steps.flatMap(({ node }) => (node.operation === 'run' ? node.definition.mounts : []))
  const found = new Map<string, boolean>()
  for (const { option } of mounts) {
    if (option.type !== type) continue
    const id = type === 'ssh' ? (option.id ?? 'default') : secretId(option)
    found.set(id, (found.get(id) ?? true) && !option.required)
  }
  return [...found].sort(([left], [right]) => (left < right ? -1 : 1)).map(([id, optional]) => ({ id, optional }))
}

/** What was read on the caller's machine. */
function localsOf({ context, dockerfile }: BuildOptions, steps: readonly RecordedStep[]): string[] {
  const contexts = steps.flatMap((step) => {
    const { node } = step
    if (node.operation !== 'context') return []
    const { place } = node.definition
    if (place === undefined) return context.kind === 'url' ? [] : ['context']
    return isUrl(place) ? [] : [contextName(step)]
  })
  const isLocal = context.kind !== 'url' || dockerfile?.kind === 'text'
  return [...contexts, ...(isLocal ? ['dockerfile'] : [])].sort()
}
