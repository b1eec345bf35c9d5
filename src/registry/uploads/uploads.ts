import { randomBytes } from 'node:crypto'
import type { Upload } from '../meta/index.ts'
import { createHasherCache } from './hasher-cache.ts'
import { UploadSession, type UploadsParts } from './upload-session.ts'

export interface Uploads {
  begin(of: { repository: string; principal: string; algorithm?: 'sha256' | 'sha512' }): Promise<Upload>
  /** The upload, when it is this caller's and in this repository (A02). */
  find(id: string, of: { repository: string; principal: string }): Promise<Upload | undefined>
  /** The exclusive writer of an upload, or undefined when another has it or the upload has moved on. */
  open(upload: Upload): Promise<UploadSession | undefined>
  cancel(upload: Upload): Promise<void>
}

const EXPIRES = 24 * 3_600_000

/** `holder` begins the names of all locks that are taken here. The thread, if any, is the caller's to end. */
export function createUploads(parts: UploadsParts & { holder?: string }): Uploads {
  const { meta, holder = '' } = parts
  const hashers = createHasherCache()
  return {
    async begin({ repository, principal, algorithm = 'sha256' }) {
      const upload = { id: randomKey(), key: randomKey(), repository, principal, algorithm }
      await meta.createUpload(upload, EXPIRES)
      return { ...upload, offset: 0 }
    },
    async find(id, { repository, principal }) {
      if (!/^[0-9a-f]{32}$/.test(id)) return undefined
      const upload = await meta.findUpload(id)
      return upload && upload.repository === repository && upload.principal === principal ? upload : undefined
    },
    async open(upload) {
      const token = holder + randomKey()
      const session = new UploadSession({ ...parts, hashers, upload, token, expires: EXPIRES })
      return (await session.lock()) ? session : undefined
    },
    async cancel(upload) {
      hashers.take(upload.id, -1)
      await meta.cancelUpload(upload.id)
    },
  }
}

/** 128 random bits: uploads cannot be guessed, and no key is used twice. */
function randomKey(): string {
  return randomBytes(16).toString('hex')
}
