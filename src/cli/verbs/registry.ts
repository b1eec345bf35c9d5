import { BaleError, printable } from '#base'
import type { Engine } from '#engine'
import type { Administration, EmbeddedAdmin, RegistryAdmin, RemoteAdmin } from '#registry'
import { isRepository, isTag } from '#spec'
import type { OptionsOf, VerbOption } from '../flags/verb-option.ts'
import type { Terminal } from '../terminal/terminal.ts'

export type {
  AccessToken,
  AuditEntry,
  Configuration,
  Delivery,
  GateRule,
  Grant,
  Group,
  ImageReport,
  KeptLogin,
  Promotion,
  QuotaUse,
  ReplicationStatus,
  ReplicationTask,
  Role,
  ServedConfiguration,
  TagChange,
} from '#registry'

/** What the verbs below `bale registry` share. Here is the one place where the command line loads the registry. */
export const loadRegistry = () => import('#registry')

const LOCAL_PLACES = [
  { flags: '--root <DIR>', description: 'Directory of the registry (/var/lib/bale-registry, beside the store)' },
  { flags: '--config <FILE>', description: 'Configuration file of the registry, in place of --root' },
] as const satisfies readonly VerbOption[]

/** Which registry is meant. */
export const PLACE_OPTIONS = [
  ...LOCAL_PLACES,
  {
    flags: '--server <URL>',
    description:
      'A registry that is served, by the login that bale login keeps for it; in place of --root and --config',
  },
] as const satisfies readonly VerbOption[]

/** For what needs the data itself. */
export const LOCAL_PLACE_OPTIONS = [
  ...LOCAL_PLACES,
  {
    flags: '--server <URL>',
    description: 'Not supported',
    refused: 'this works on the data of the registry itself: run it where that is, with --root or --config',
  },
] as const satisfies readonly VerbOption[]

type LocalPlaceOptions = OptionsOf<typeof LOCAL_PLACE_OPTIONS>
type PlaceOptions = OptionsOf<typeof PLACE_OPTIONS>

export function registryDirectory(root: string | undefined, engine: Engine): string {
  return root ?? `${engine.config.root.replace(/\/+$/, '')}-registry`
}

/** Opens the registry for administration, here or over the network: the same either way, and whose login it is. */
export async function openAdmin(
  { server, ...here }: PlaceOptions,
  engine: Engine,
  io: Terminal,
): Promise<Administration & Partial<Pick<RemoteAdmin, 'me'>> & AsyncDisposable> {
  if (server === undefined) return await openLocalAdmin(here, engine, io)
  for (const [name, value] of Object.entries(here)) {
    if (value === undefined || !['root', 'config'].includes(name)) continue
    throw new BaleError('INVALID_ARGUMENT', `--server and --${name} exclude each other: each says which registry`)
  }
  const { openRemoteAdmin } = await loadRegistry()
  await using opened = new AsyncDisposableStack()
  const admin = await openRemoteAdmin(opened.use(await engine.registries.connect(server)))
  const parts = opened.move()
  return { ...admin, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

/** Opens the registry's data for administration, also while it is served. */
export async function openLocalAdmin(
  { root, config }: LocalPlaceOptions,
  engine: Engine,
  io: Terminal,
): Promise<RegistryAdmin | EmbeddedAdmin> {
  const { openConfiguredAdmin, openRegistryAdmin, readConfiguration } = await loadRegistry()
  if (config === undefined) return await openRegistryAdmin({ directory: registryDirectory(root, engine) })
  if (root !== undefined) throw excluded('--root')
  return await openConfiguredAdmin(await readConfiguration(config), { environment: io.environment })
}

/** What the configuration file says instead. */
export function excluded(flag: string): BaleError {
  return new BaleError('INVALID_ARGUMENT', `--config and ${flag} exclude each other: the file says it all`)
}

/** `team/web:1`, a tag as the registry itself names it, without its address. */
export function splitTag(text: string): { repository: string; tag: string } {
  const [, repository = '', tag = ''] = /^(.+):([^:]+)$/.exec(text) ?? []
  if (isRepository(repository) && isTag(tag)) return { repository, tag }
  throw new BaleError('INVALID_REFERENCE', `not a tag of a repository: ${printable(text, 300)}`, {
    hint: 'for example team/web:latest, without the address of the registry',
  })
}

/** The repository of `team/web:1` or `team/web@sha256:…`, which the registry has found. */
export function repositoryIn(image: string): string {
  return image.split(/[@:]/, 1)[0]!
}

/** What people decide about images is on record with the reason. */
export function reasonOf(text: string | undefined): string {
  if (text !== undefined) return text
  throw new BaleError('INVALID_ARGUMENT', 'say why, with --reason: it is on record')
}
