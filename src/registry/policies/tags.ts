import { BaleError, printable } from '#base'
import { isTag, parseDigest } from '#spec'
import type { MetaStore, TagChange } from '../meta/index.ts'

/** What tags pointed to, and their way back to it. A manifest that was deleted itself is not restored; a push brings it again. */
export interface Tags {
  /** Newest first, at most `limit` (100), of those before the one with the ID `before`. */
  history(repository: string, tag: string, page?: { before?: number; limit?: number }): Promise<TagChange[]>
  /**
   * Points a tag to what it pointed to once. NOT_FOUND when it never pointed to that, MANIFEST_NOT_FOUND when the
   * manifest is gone, TAG_IMMUTABLE when a policy forbids that it moves.
   */
  restore(repository: string, tag: string, digest: string): Promise<void>
}

const PAGE = 100

/** `actor` is who sets tags back, as the histories name it. */
export function createTags(meta: MetaStore, actor = 'operator'): Tags {
  return {
    async history(repository, tag, { before, limit = PAGE } = {}) {
      checkTag(tag)
      return await meta.tagHistory(repository, tag, { before, limit })
    },
    async restore(repository, tag, text) {
      checkTag(tag)
      const digest = parseDigest(text)
      const outcome = await meta.restoreTag(repository, tag, { digest, actor })
      if (outcome === 'restored') return
      const name = `${printable(repository, 255)}:${tag}`
      if (outcome === 'manifest deleted') {
        throw new BaleError('MANIFEST_NOT_FOUND', `${name} cannot be set back: the manifest ${digest} was deleted`)
      }
      throw new BaleError('NOT_FOUND', `${name} never pointed to ${digest}`, {
        next: { act: 'show-tag-history', name },
      })
    },
  }
}

function checkTag(tag: string): void {
  if (!isTag(tag)) throw new BaleError('INVALID_REFERENCE', `not a tag: ${printable(tag, 160)}`)
}
