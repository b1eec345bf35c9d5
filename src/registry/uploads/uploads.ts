import { randomBytes } from 'node:crypto'
import type { Clock } from '#base'
import type { Hasher } from '#blob'
import type { MetaStore, Upload } from '../meta/index.ts'
import type { ObjectStore } from '../objects/index.ts'
import { UploadSession } from './upload-session.ts'

export interface UploadsParts {
  meta: MetaStore
  objects: ObjectStore
  clock: Clock
  /** Milliseconds that a finished blob stays without a manifest. */
  lease: number
}

export interface Uploads {
  begin(of: { repository: string; principal: string; algorithm?: 'sha256' | 'sha512' }): Promise<Upload>
  /** The upload, when it is this caller's and in this repository (A02). */
  find(id: string, of: { repository: string; principal: string }): Promise<Upload | undefined>
  /** The writer's place of an upload, or undefined when somebody else has it or the upload has moved on. */
  open(upload: Upload): Promise<UploadSession | undefined>
  cancel(upload: Upload): Promise<void>
}

const EXPIRES = 24 * 3_600_000
const HASHERS = 256

export function createUploads({ meta, objects, clock, lease }: UploadsParts): Uploads {
  const hashers = createHasherCache()
  return {
    async begin({ repository, principal, algorithm = 'sha256' }) {
      const upload = { id: randomKey(), key: randomKey(), repository, principal, algorithm }
      await meta.createUpload(upload, clock.now() + EXPIRES)
      return { ...upload, offset: 0 }
    },
    async find(id, { repository, principal }) {
      if (!/^[0-9a-f]{32}$/.test(id)) return undefined
      const upload = await meta.findUpload(id)
      return upload && upload.repository === repository && upload.principal === principal ? upload : undefined
    },
    async open(upload) {
      const token = randomKey()
      const session = new UploadSession({ meta, objects, clock, lease, hashers, upload, token, expires: EXPIRES })
      return (await session.lock()) ? session : undefined
    },
    async cancel(upload) {
      hashers.take(upload.id, -1)
      await meta.cancelUpload(upload.id, clock.now())
    },
  }
}

/** 128 random bits: nobody guesses an upload, and no key is used twice. */
function randomKey(): string {
  return randomBytes(16).toString('hex')
}

/**
 * Hashes of uploads between two chunks. Node cannot write down a running hash, so it lives in this process; when it is
 * gone (a restart, another replica) the stored bytes are read again at the end.
 */
export interface HasherCache {
  /** Takes the hasher out, when there is one for exactly this offset. */
  take(id: string, offset: number): Hasher | undefined
  keep(id: string, hasher: Hasher): void
}

function createHasherCache(): HasherCache {
  const hashers = new Map<string, Hasher>()
  return {
    take(id, offset) {
      const hasher = hashers.get(id)
      hashers.delete(id)
      return hasher?.size === offset ? hasher : undefined
    },
    keep(id, hasher) {
      hashers.set(id, hasher)
      const oldest = hashers.keys().next()
      if (hashers.size > HASHERS && !oldest.done) hashers.delete(oldest.value)
    },
  }
}
