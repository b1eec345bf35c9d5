import type { OperationOptions } from '#base'
import { parseReference } from '#spec'
import type { EngineContext } from './context/context.ts'
import { openRegistry } from './registries/open-registry.ts'

/** All tags that a registry has for a repository, sorted (some registries give them in any order). */
export async function listTags(
  context: EngineContext,
  name: string,
  options: OperationOptions = {},
): Promise<string[]> {
  await using repository = await openRegistry(context, parseReference(name), { typed: name })
  return (await Array.fromAsync(repository.tags(options))).sort()
}
