/** A repository's paths, scopes and written names. */
export interface Names {
  /** As in references. */
  registry: string
  repository: string
  path(rest: string): string
  /** For messages: `localhost:5000/team/web:1`. */
  written(tagOrDigest: string): string
  pull: readonly string[]
  push: readonly string[]
  delete: readonly string[]
}

export function namesOf(registry: string, repository: string): Names {
  const scope = (actions: string) => [`repository:${repository}:${actions}`]
  const shown = registry === 'docker.io' ? repository.replace(/^library\//, '') : `${registry}/${repository}`
  return {
    registry,
    repository,
    path: (rest) => `/v2/${repository}/${rest}`,
    written: (name) => `${shown}${name.includes(':') ? '@' : ':'}${name}`,
    pull: scope('pull'),
    push: scope('pull,push'),
    delete: scope('pull,delete'),
  }
}
