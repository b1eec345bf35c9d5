import type { Engine } from '#engine'
import type { RegistryAdmin } from '#registry'
import type { VerbOption } from '../flags/verb-option.ts'

/** What the verbs below `bale registry` share. Here is the one place where the command line loads the registry. */
export const loadRegistry = () => import('#registry')

export const ROOT_OPTION = {
  flags: '--root <DIR>',
  description: 'Directory of the registry (/var/lib/bale-registry, beside the store)',
} as const satisfies VerbOption

export function registryDirectory(root: string | undefined, engine: Engine): string {
  return root ?? `${engine.config.root.replace(/\/+$/, '')}-registry`
}

/** Opens the registry's directory for administration, also while it is served. */
export async function openAdmin(root: string | undefined, engine: Engine): Promise<RegistryAdmin> {
  const { openRegistryAdmin } = await loadRegistry()
  return await openRegistryAdmin({ directory: registryDirectory(root, engine) })
}
