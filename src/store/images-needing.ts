import type { Digest } from '#spec'
import type { Core } from './core.ts'
import { referencesOf } from './image-table.ts'

/** Names (or IDs) of the images that a layer, blob or document belongs to. */
export function imagesNeeding(core: Core, kind: string, digest: Digest): string[] {
  const sql = `SELECT DISTINCT image FROM edges JOIN documents ON digest = parent
    WHERE edges.kind = ? AND child = ? AND image IS NOT NULL`
  const rows = core.database.all<{ image: Digest }>(sql, kind, digest)
  return rows.flatMap(({ image }) => shownImage(core, image)).sort()
}

/** Its names, or its ID when it has none. */
export function shownImage(core: Core, image: Digest): string[] {
  const names = referencesOf(core, image).filter(({ kind }) => kind === 'tag')
  return names.length > 0 ? names.map(({ full }) => full) : [image]
}
