import { BaleError, printable } from '#base'
import { isPattern, type MetaStore, type TagPolicy } from '../meta/index.ts'

/** Rules about tags, each for the repositories that a pattern matches: `team/web`, `team/*` (one part), `team/**`, `**`. */
export interface Policies {
  /** By their IDs. */
  list(): Promise<TagPolicy[]>
  /**
   * Makes tags immutable: they can be made, but neither moved nor deleted, nor can their manifests. `tags` and those in
   * `except` are written as tags, with `*` for any characters. Returns the policy's ID.
   */
  immutable(pattern: string, tags: string, options?: { except?: readonly string[] }): Promise<number>
  /** INVALID_ARGUMENT when there is none with this ID. */
  remove(id: number): Promise<void>
}

export function createPolicies(meta: MetaStore): Policies {
  return {
    list: () => meta.listPolicies(),
    async immutable(pattern, tags, { except = [] } = {}) {
      checkPattern(pattern)
      for (const glob of [tags, ...except]) checkGlob(glob)
      return await meta.addPolicy({ kind: 'immutable', pattern, tags: [tags], except: [...except] })
    },
    async remove(id) {
      if (await meta.removePolicy(id)) return
      throw new BaleError('INVALID_ARGUMENT', `there is no policy ${id}`, { next: { act: 'list-registry-policies' } })
    },
  }
}

function checkPattern(pattern: string): void {
  if (isPattern(pattern)) return
  throw new BaleError('INVALID_ARGUMENT', `not a pattern of repositories: ${printable(pattern, 120)}`, {
    hint: 'for example team/web, team/* (one path component), team/** (everything below) or **',
  })
}

const GLOB = /^[A-Za-z0-9_.*-]{1,128}$/

/** At most eight stars, as in patterns of repositories. */
function checkGlob(glob: string): void {
  if (GLOB.test(glob) && !glob.includes('**') && (glob.match(/\*/g) ?? []).length <= 8) return
  throw new BaleError('INVALID_ARGUMENT', `not a pattern of tags: ${printable(glob, 120)}`, {
    hint: 'for example latest, v* or *-release: * stands for any characters',
  })
}
