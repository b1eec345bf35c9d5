/**
 * The process of one scan. It has no environment, no network and no files but a directory of its own: whatever it reads of the image
 * it asks for, and all that it gives is the inventory.
 */
import { BaleError, createLimiter } from '#base'
import { checkedManifest, type ImageSource } from '#image'
import { type Descriptor, MANIFEST_LIMIT } from '#spec'
import { takeInventory } from '#trust/inventory'
import { type Frame, readFrames, writeFrame } from './frames.ts'
import { BEGIN, type Begin, CHUNK, END, FAILURE, FRAME, MANIFEST, NEXT, OPEN, type Open, PART } from './messages.ts'
import { failureText, toldFailure } from './told-failure.ts'

const frames = readFrames(process.stdin, MANIFEST_LIMIT)
const inTurn = createLimiter(1)

async function next(): Promise<Frame> {
  const { value } = await frames.next()
  // Nobody waits for the inventory any more.
  return (value as Frame | undefined) ?? process.exit(1)
}

/** Undefined at the end of a blob. */
async function ask(kind: string, request?: Open): Promise<Buffer | undefined> {
  return await inTurn(async () => {
    await writeFrame(process.stdout, kind, request && JSON.stringify(request))
    const answer = await next()
    if (answer.kind === FAILURE) throw toldFailure(answer.bytes)
    return answer.kind === CHUNK ? answer.bytes : undefined
  })
}

async function* blob({ digest }: Descriptor, offset: number): AsyncGenerator<Uint8Array> {
  for (let bytes = await ask(OPEN, { digest, offset }); bytes; bytes = await ask(NEXT)) yield bytes
}

async function scan(): Promise<void> {
  const [begin, manifest] = [await next(), await next()]
  if (begin.kind !== BEGIN || manifest.kind !== MANIFEST) throw new Error('it was not told what to scan')
  const { temporary, ...descriptor } = JSON.parse(begin.bytes.toString()) as Begin
  const read = checkedManifest({ descriptor, bytes: manifest.bytes })
  const source: ImageSource = {
    resolve: async () => read,
    async manifest() {
      throw new BaleError('MANIFEST_NOT_FOUND', 'a scan reads one manifest alone')
    },
    blob: async (wanted, { offset = 0 } = {}) => blob(wanted, offset),
  }
  const text = Buffer.from(JSON.stringify(await takeInventory(source, read, { temporary })))
  for (let at = 0; at < text.byteLength; at += FRAME) {
    await writeFrame(process.stdout, PART, text.subarray(at, at + FRAME))
  }
}

async function main(): Promise<never> {
  try {
    await scan()
    await writeFrame(process.stdout, END)
  } catch (error) {
    await writeFrame(process.stdout, FAILURE, failureText(error))
  }
  process.exit(0)
}

void main()
