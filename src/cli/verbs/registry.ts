import { BaleError, printable } from '#base'
import type { Engine } from '#engine'
import type { EmbeddedAdmin, RegistryAdmin } from '#registry'
import { isRepository, isTag } from '#spec'
import type { OptionsOf, VerbOption } from '../flags/verb-option.ts'
import type { Terminal } from '../terminal/terminal.ts'

export type {
  AccessToken,
  AuditEntry,
  Configuration,
  Grant,
  Group,
  Role,
  ServedConfiguration,
  TagChange,
} from '#registry'

/** What the verbs below `bale registry` share. Here is the one place where the command line loads the registry. */
export const loadRegistry = () => import('#registry')

/** Which registry is meant. */
export const PLACE_OPTIONS = [
  { flags: '--root <DIR>', description: 'Directory of the registry (/var/lib/bale-registry, beside the store)' },
  { flags: '--config <FILE>', description: 'Configuration file of the registry, in place of --root' },
] as const satisfies readonly VerbOption[]

type PlaceOptions = OptionsOf<typeof PLACE_OPTIONS>

export function registryDirectory(root: string | undefined, engine: Engine): string {
  return root ?? `${engine.config.root.replace(/\/+$/, '')}-registry`
}

/** Opens the registry for administration, also while it is served. */
export async function openAdmin(
  { root, config }: PlaceOptions,
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
