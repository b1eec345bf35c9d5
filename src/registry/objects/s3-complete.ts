import { errnoOf, isBaleError } from '#base'
import type { S3Client, S3Upload } from './s3-client.ts'
import { lostBytes, type S3State } from './s3-state.ts'

/** An object of less than a part: its tail, as it is. */
export async function completeSmall(client: S3Client, key: string, { tail }: S3State): Promise<string> {
  if (!tail) {
    await client.put(key, new Uint8Array(0))
    return key
  }
  const size = await client.size(tail.key)
  if (size !== tail.size) throw lostBytes(size ?? 0, tail.size)
  return tail.key
}

/**
 * Makes an object of the parts, and of the tail as the last one. When the upload or the tail is gone, it was
 * completed before, and the answer was lost: then the object exists.
 */
export async function completeUpload(client: S3Client, upload: S3Upload, state: S3State): Promise<string> {
  const { key } = upload
  const { tail } = state
  try {
    const etags = [...state.etags]
    if (tail) etags.push(await client.putPart(upload, etags.length + 1, await readTail(client, state)))
    await client.completeUpload(upload, etags)
  } catch (error) {
    if (!isBaleError(error, 'STORE_DAMAGED') || !(await isComplete(client, key, state))) throw error
  }
  if (tail) await client.remove(tail.key)
  return key
}

async function isComplete(client: S3Client, key: string, { etags, partSize, tail }: S3State): Promise<boolean> {
  return (await client.size(key)) === etags.length * partSize + (tail?.size ?? 0)
}

/** STORE_DAMAGED when it is gone or not as long as it is recorded. */
export async function readTail(client: S3Client, { tail }: S3State): Promise<Uint8Array> {
  if (!tail) return new Uint8Array(0)
  try {
    const bytes = Buffer.concat(await Array.fromAsync(client.read(tail.key, 0, Number.POSITIVE_INFINITY)))
    if (bytes.byteLength !== tail.size) throw lostBytes(bytes.byteLength, tail.size)
    return bytes
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? lostBytes(0, tail.size) : error
  }
}
