import { BaleError } from '#base'
import { parseDigest } from './digest.ts'
import type { ContainerConfig, Healthcheck, History, ImageConfig, ImageManifest } from './documents.ts'
import { compact, deepFreeze, Fields, malformed } from './fields.ts'
import type { Platform } from './platform.ts'
import { parseStrictJson } from './strict-json.ts'

/** Bytes. */
export const CONFIG_LIMIT = 16 * 1024 * 1024
const ENTRIES_LIMIT = 100_000

/**
 * Reads an image config (OCI's or docker's). Members that are null count as absent; unknown ones stay in the raw bytes
 * only. Members that reach a command line or environment are refused if they contain a NUL. The result is frozen:
 * copy what is to be changed. Throws INVALID_MANIFEST, LIMIT_EXCEEDED, INVALID_DIGEST.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const fields = new Fields(parseStrictJson(bytes, { limit: CONFIG_LIMIT, what: 'image config' }), 'config')
  const history = fields.list('history', ENTRIES_LIMIT)
  return deepFreeze(
    compact<ImageConfig>({
      architecture: fields.text('architecture') ?? '',
      os: fields.text('os') ?? '',
      variant: fields.text('variant') || undefined,
      'os.version': fields.text('os.version') || undefined,
      'os.features': fields.texts('os.features'),
      created: readTime(fields, 'created'),
      author: fields.text('author') || undefined,
      config: fields.has('config') ? parseContainerConfig(fields.get('config'), 'config.config') : undefined,
      rootfs: readRootfs(fields.get('rootfs')),
      history: history?.map((entry, index) => readHistory(entry, `config.history[${index}]`)),
      docker_version: fields.text('docker_version') || undefined,
      container: fields.text('container') || undefined,
      comment: fields.text('comment') || undefined,
    }),
  )
}

/** The platform as a config writes it: an index repeats it word for word. */
export function writtenPlatform(config: ImageConfig): Platform {
  const { os, architecture, variant, 'os.version': version, 'os.features': features } = config
  return {
    os,
    architecture,
    ...(variant && { variant }),
    ...(version && { 'os.version': version }),
    ...(features?.length && { 'os.features': features }),
  }
}

/** Reads the `config` object alone, as it also appears in docker's API and in `--change` results. */
export function parseContainerConfig(value: unknown, path = 'config'): ContainerConfig {
  const fields = new Fields(value, path)
  return compact<ContainerConfig>({
    User: fields.text('User') || undefined,
    ExposedPorts: fields.keySet('ExposedPorts'),
    Env: plain(fields, 'Env', fields.texts('Env', ENTRIES_LIMIT)),
    Entrypoint: plain(fields, 'Entrypoint', words(fields, 'Entrypoint')),
    Cmd: plain(fields, 'Cmd', words(fields, 'Cmd')),
    Volumes: fields.keySet('Volumes'),
    WorkingDir: plain(fields, 'WorkingDir', fields.text('WorkingDir') || undefined),
    Labels: fields.textMap('Labels'),
    StopSignal: fields.text('StopSignal') || undefined,
    Healthcheck: fields.has('Healthcheck')
      ? readHealthcheck(fields.get('Healthcheck'), `${path}.Healthcheck`)
      : undefined,
    Shell: words(fields, 'Shell'),
    OnBuild: fields.texts('OnBuild', ENTRIES_LIMIT),
    ArgsEscaped: fields.flag('ArgsEscaped'),
  })
}

/** Refuses a config whose layers are not the manifest's (M05). */
export function checkConfigMatches(manifest: ImageManifest, config: ImageConfig): void {
  const layers = manifest.layers.length
  const diffIds = config.rootfs.diff_ids.length
  if (layers === diffIds) return
  throw malformed('manifest', `has ${layers} layers, but the image config lists ${diffIds} (diff_ids)`)
}

/** A warning about an inconsistent history; history is not used to find layers, so nothing breaks. */
export function historyObjection(config: ImageConfig): string | undefined {
  if (config.history === undefined || config.history.length === 0) return undefined
  const described = config.history.filter((entry) => !entry.empty_layer).length
  const layers = config.rootfs.diff_ids.length
  return described === layers ? undefined : `the history describes ${described} layers, the image has ${layers}`
}

function readRootfs(value: unknown): ImageConfig['rootfs'] {
  if (value === undefined) throw malformed('config.rootfs', 'is missing: this is not an image config')
  const fields = new Fields(value, 'config.rootfs')
  const type = fields.text('type') || 'layers'
  if (type !== 'layers') throw malformed('config.rootfs.type', 'is not "layers"')
  // Go writers emit null for an image without layers.
  const diffIds = fields.texts('diff_ids') ?? []
  return { type, diff_ids: diffIds.map((digest) => parseDigest(digest)) }
}

function readHistory(value: unknown, path: string): History {
  const fields = new Fields(value, path)
  return compact<History>({
    created: readTime(fields, 'created'),
    created_by: fields.text('created_by'),
    author: fields.text('author') || undefined,
    comment: fields.text('comment') || undefined,
    empty_layer: fields.flag('empty_layer') || undefined,
  })
}

function readHealthcheck(value: unknown, path: string): Healthcheck {
  const fields = new Fields(value, path)
  return compact<Healthcheck>({
    Test: plain(fields, 'Test', fields.texts('Test', ENTRIES_LIMIT)),
    Interval: fields.count('Interval'),
    Timeout: fields.count('Timeout'),
    StartPeriod: fields.count('StartPeriod'),
    StartInterval: fields.count('StartInterval'),
    Retries: fields.count('Retries'),
  })
}

/** Very old images have a string where a list belongs. */
function words(fields: Fields, name: string): string[] | undefined {
  const value = fields.get(name)
  return typeof value === 'string' ? [value] : fields.texts(name, ENTRIES_LIMIT)
}

/** Checked here, since a time that cannot be read would break every list that shows it. */
function readTime(fields: Fields, name: string): string | undefined {
  const text = fields.text(name) || undefined
  if (text === undefined || !Number.isNaN(Date.parse(text))) return text
  throw malformed(fields.path(name), 'is not a time (RFC 3339)')
}

/** NUL ends a C string: what follows it would silently vanish. */
function plain<T extends string | string[] | undefined>(fields: Fields, name: string, value: T): T {
  const texts: readonly string[] = value === undefined ? [] : typeof value === 'string' ? [value] : value
  if (texts.some((text) => text.includes('\0'))) {
    throw new BaleError('INVALID_MANIFEST', `${fields.path(name)} holds a NUL character`)
  }
  return value
}
