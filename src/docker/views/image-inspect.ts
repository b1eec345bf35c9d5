import { type Digest, familiarName, fullName, type Healthcheck, type Reference } from '#spec'
import { goTime, goTimeOf } from './go-time.ts'
import type { ImageFacts } from './image-facts.ts'

type KeySet = Record<string, Record<string, never>>

/** The `Config` of docker's JSON: every member is present; unset ones are empty or null, as Go writes them. */
interface InspectedConfig {
  Hostname: string
  Domainname: string
  User: string
  AttachStdin: boolean
  AttachStdout: boolean
  AttachStderr: boolean
  ExposedPorts?: KeySet
  Tty: boolean
  OpenStdin: boolean
  StdinOnce: boolean
  Env: string[] | null
  Cmd: string[] | null
  Healthcheck?: Healthcheck
  ArgsEscaped?: boolean
  Image: string
  Volumes: KeySet | null
  WorkingDir: string
  Entrypoint: string[] | null
  OnBuild: string[] | null
  Labels: Record<string, string> | null
  StopSignal?: string
  Shell?: string[]
}

/** Docker's JSON of `image inspect`, in the members and order of docker 20.10. */
export interface ImageInspect {
  Id: Digest
  RepoTags: string[]
  RepoDigests: string[]
  Parent: string
  Comment: string
  Created: string
  Container: string
  DockerVersion: string
  Author: string
  Config: InspectedConfig | null
  Architecture: string
  Variant?: string
  Os: string
  OsVersion?: string
  /** Bytes of the layers' content. */
  Size: number
  VirtualSize: number
  GraphDriver: { Data: Record<string, string> | null; Name: string }
  RootFS: { Type: 'layers'; Layers?: Digest[] }
  Metadata: { LastTagTime: string }
}

/**
 * Deliberate differences from docker 20.10: no ContainerConfig (docker dropped it in 2024, with version 25); Comment falls back to the
 * newest history entry, as in later dockers; Parent is always empty, since images here do not depend on each other;
 * LastTagTime is also set by a load.
 */
export function imageInspect(
  image: ImageFacts,
  options: { graphDriver?: ImageInspect['GraphDriver'] } = {},
): ImageInspect {
  const { config } = image
  const raw = rawMembers(image)
  const layers = config.rootfs.diff_ids
  return {
    Id: image.id,
    RepoTags: familiarNames(image.names),
    RepoDigests: familiarNames(image.repoDigests),
    Parent: '',
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? '',
    Created: goTime(config.created),
    Container: config.container ?? '',
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: config.config ? inspectedConfig(config.config, raw) : null,
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    ...(config['os.version'] ? { OsVersion: config['os.version'] } : {}),
    Size: image.size,
    VirtualSize: image.size,
    GraphDriver: options.graphDriver ?? { Data: null, Name: 'erofs' },
    RootFS: { Type: 'layers', ...(layers.length > 0 ? { Layers: layers } : {}) },
    Metadata: { LastTagTime: goTimeOf(image.lastTagged) },
  }
}

/** Names as people write them, in the order that docker shows: that of the full names. Digests alone are no tags. */
export function familiarNames(names: readonly Reference[]): string[] {
  return sortedNames(names).map((name) => familiarName(name))
}

/** In the order of the full names. */
export function sortedNames(names: readonly Reference[]): Reference[] {
  const pairs = names.map((name) => ({ name, full: fullName(name) }))
  return pairs.sort((left, right) => (left.full < right.full ? -1 : 1)).map(({ name }) => name)
}

/** Members that only docker's own documents have; the config was checked when it came in. */
function rawMembers(image: ImageFacts): Record<string, unknown> {
  const document = JSON.parse(new TextDecoder().decode(image.rawConfig)) as { config?: Record<string, unknown> | null }
  return document.config ?? {}
}

function inspectedConfig(
  config: NonNullable<ImageFacts['config']['config']>,
  raw: Record<string, unknown>,
): InspectedConfig {
  const text = (name: string) => (typeof raw[name] === 'string' ? raw[name] : '')
  const flag = (name: string) => raw[name] === true
  return {
    Hostname: text('Hostname'),
    Domainname: text('Domainname'),
    User: config.User ?? '',
    AttachStdin: flag('AttachStdin'),
    AttachStdout: flag('AttachStdout'),
    AttachStderr: flag('AttachStderr'),
    ...(hasMembers(config.ExposedPorts) ? { ExposedPorts: sorted(config.ExposedPorts) } : {}),
    Tty: flag('Tty'),
    OpenStdin: flag('OpenStdin'),
    StdinOnce: flag('StdinOnce'),
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    ...(config.ArgsEscaped ? { ArgsEscaped: true } : {}),
    Image: text('Image'),
    Volumes: config.Volumes ? sorted(config.Volumes) : null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ? sorted(config.Labels) : null,
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.Shell && config.Shell.length > 0 ? { Shell: config.Shell } : {}),
  }
}

function hasMembers(map: KeySet | undefined): map is KeySet {
  return map !== undefined && Object.keys(map).length > 0
}

/** Go writes maps sorted by key. */
function sorted<T>(map: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)))
}
