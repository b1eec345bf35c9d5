import { isBaleError } from '#base'
import { parseReference, repositoryName } from '#spec'

/** The full name of the repository that a text names as docker reads names; undefined when it is no name. */
export function repositoryOf(text: string): string | undefined {
  try {
    return repositoryName(parseReference(text))
  } catch (error) {
    if (isBaleError(error, 'INVALID_REFERENCE')) return undefined
    throw error
  }
}

/**
 * The repository that the subject of an in-toto statement is bound to by its name. Names are free text there (`app.tar`, a
 * package URL): only one that begins with a registry is a repository.
 */
export function boundRepository(name: string | undefined): string | undefined {
  if (name === undefined || !REGISTRY.test(name)) return undefined
  return repositoryOf(name)
}

const REGISTRY = /^(?:[^/]{0,255}[.:][^/]{0,255}|localhost)\//
