import { tmpdir } from 'node:os'
import { BaleError, isBaleError } from '#base'
import { siblingModule, temporaryDirectory } from '#host/file'
import type { ImageSource, ReadManifest } from '#image'
import type { Descriptor, Digest, ImageManifest } from '#spec'
import type { Inventory } from '#trust/inventory'
import { isForeign } from '../manifest/index.ts'
import { checkedInventory } from './checked-inventory.ts'
import type { Confinement } from './confinement.ts'
import { FramedProcess } from './framed-process.ts'
import { BEGIN, type Begin, CHUNK, END, FAILURE, FRAME, MANIFEST, NEXT, OPEN, PART } from './messages.ts'
import { TEXT_LIMIT } from './scan-record.ts'
import { failureText, toldFailure } from './told-failure.ts'

/** What one scan may take. */
export interface ScanLimits {
  /** Bytes. */
  memory: number
  /** Milliseconds. */
  timeout: number
}

export interface ScanProcessOptions extends ScanLimits {
  confinement: Confinement
  signal: AbortSignal
  /** Another program in its place, for tests. */
  program?: string
}

/** An image, and nothing but an image. */
export interface ScannedImage {
  readonly read: ReadManifest
  readonly manifest: ImageManifest
}

/**
 * Takes the inventory of an image in a process of its own, which gets the blobs of this image alone, and whose answer is not
 * believed before it was checked. A layer that is damaged is a gap, and so is a foreign layer that is missing. Throws BLOB_NOT_FOUND when
 * another blob is missing, LIMIT_EXCEEDED when the scan takes too long or needs too much memory, INTERNAL when the process crashes,
 * what the process throws, and what else the source throws.
 */
export async function scanInProcess(
  { read, manifest }: ScannedImage,
  source: ImageSource,
  options: ScanProcessOptions,
): Promise<Inventory> {
  const { memory, timeout, confinement, signal, program = PROGRAM } = options
  await using temporary = await temporaryDirectory(tmpdir(), 'bale-scan-')
  const limits = { memory, time: timeout, directory: temporary.path }
  await using child = new FramedProcess({ program, limits, confinement, frameLimit: FRAME, what: 'scan' })
  using _ = child.until(signal)
  using __ = child.within(timeout, () => tooLong(timeout))
  const { mediaType, digest, size } = read.descriptor
  const begin: Begin = { mediaType, digest, size, temporary: temporary.path }
  await child.tell(BEGIN, JSON.stringify(begin))
  await child.tell(MANIFEST, read.bytes)
  const text = await answerTill(child, createBlobs(source, manifest))
  return checkedInventory(text, digest)
}

const PROGRAM = siblingModule(import.meta.url, './scan-program')

function tooLong(timeout: number): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `the scan takes longer than ${timeout / 1000} seconds`)
}

/** Answers requests until the inventory has come. */
async function answerTill(child: FramedProcess, blobs: Blobs): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  await using _ = blobs
  for (;;) {
    const { kind, bytes } = await child.hear()
    if (kind === END) return Buffer.concat(parts).toString()
    if (kind === FAILURE) throw toldFailure(bytes)
    if (kind === PART) {
      parts.push(bytes)
      size += bytes.byteLength
      if (size > TEXT_LIMIT)
        throw new BaleError('LIMIT_EXCEEDED', `the list of its packages has more than ${TEXT_LIMIT} bytes`)
    } else if (kind === OPEN || kind === NEXT) {
      await child.tell(...(await blobs.answer(kind, bytes)))
    } else throw child.unknownMessage()
  }
}

interface Blobs extends AsyncDisposable {
  answer(kind: typeof OPEN | typeof NEXT, request: Buffer): Promise<[kind: string, bytes?: Uint8Array | string]>
}

/** Gives out the blobs of one image, one at a time. */
function createBlobs(source: ImageSource, { config, layers }: ImageManifest): Blobs {
  const known = new Map<Digest, Descriptor>([config, ...layers].map((one) => [one.digest, one]))
  const foreign = new Set(layers.filter(isForeign).map(({ digest }) => digest))
  let wanted: Digest | undefined
  let current: AsyncIterator<Uint8Array> | undefined
  let rest: Uint8Array = new Uint8Array()
  const close = async () => {
    const ended = current
    current = undefined
    rest = new Uint8Array()
    await ended?.return?.()
  }
  const open = async (request: Buffer) => {
    await close()
    const { digest, offset } = JSON.parse(request.toString()) as { digest: Digest; offset: number }
    const descriptor = known.get(digest)
    if (!descriptor || !Number.isSafeInteger(offset) || offset < 0 || offset > descriptor.size) {
      throw new BaleError('INTERNAL', 'the scan process wants what is no blob of this image')
    }
    wanted = digest
    current = (await source.blob(descriptor, { offset }))[Symbol.asyncIterator]()
  }
  /** What every try finds; a blob that is missing without leave may be in another repository, or be pushed again. */
  const isGap = (error: unknown) =>
    isBaleError(error, 'STORE_DAMAGED') ||
    (isBaleError(error, 'BLOB_NOT_FOUND') && wanted !== undefined && foreign.has(wanted))
  return {
    async answer(kind, request) {
      try {
        if (kind === OPEN) await open(request)
        while (rest.byteLength === 0) {
          const next = await current?.next()
          if (!next || next.done) return [END]
          rest = next.value
        }
      } catch (error) {
        await close()
        if (!isGap(error)) throw error
        return [FAILURE, failureText(error)]
      }
      const chunk = rest.subarray(0, FRAME)
      rest = rest.subarray(FRAME)
      return [CHUNK, chunk]
    },
    [Symbol.asyncDispose]: close,
  }
}
