import { BaleError } from '#base'
import type { Digest } from '#spec'
import type { ImageState, MetaStore } from '../meta/index.ts'
import { checkReason } from './check-reason.ts'
import { digestNamed, noSuchImage, parseOneImage } from './one-image.ts'

/**
 * Decisions about single images, which override gates. Names are `team/web:1.2` or `team/web@sha256:…`. Each method applies to the manifest
 * that the name refers to now, in this repository only, and to the images of an index; it returns the digest. MANIFEST_NOT_FOUND
 * when there is none. The reason is mandatory, and is kept in the audit log.
 */
export interface Images {
  /** Stops it from being pulled, even where there is no gate. */
  quarantine(name: string, reason: string, by?: DecidedBy): Promise<Digest>
  /** Lets it be pulled although gates block it. */
  release(name: string, reason: string, by?: DecidedBy): Promise<Digest>
  /** Leaves it to the gates again. With `kind`, ends only a decision of that kind: NOT_FOUND when there is none. */
  clear(name: string, reason: string, options?: { kind?: ImageState['kind'] } & DecidedBy): Promise<Digest>
}

/** Who decides. */
interface DecidedBy {
  /** The actor of an owner, who cannot end a quarantine that somebody else set: DENIED. */
  own?: string
}

export function createImages(meta: MetaStore): Images {
  async function set(name: string, state: Parameters<MetaStore['setImageState']>[2]): Promise<Digest> {
    checkReason(state.reason)
    const image = parseOneImage(name)
    const digest = await digestNamed(meta, image)
    const outcome = await meta.setImageState(image.repository, digest, state)
    if (outcome === 'absent') throw noSuchImage(name)
    if (outcome === 'changed' || state.only === undefined) return digest
    const words = state.only === 'quarantined' ? 'is not in quarantine' : 'has not been released'
    throw new BaleError('NOT_FOUND', `${name} ${words}`)
  }
  return {
    quarantine: (name, reason, { own } = {}) => set(name, { kind: 'quarantined', reason, own }),
    release: (name, reason, { own } = {}) => set(name, { kind: 'released', reason, own }),
    clear: (name, reason, { kind, own } = {}) => set(name, { kind: 'none', reason, own, only: kind }),
  }
}
