import { bind, LEVEL } from './bindings.ts'
import { IsalDeflater } from './deflater.ts'
import { findLibrary } from './find-library.ts'
import { IsalInflater } from './inflater.ts'

interface Isal {
  /** Name, version and level: with the input they decide what is written. */
  readonly name: string
  inflater(): IsalInflater
  /** See IsalDeflater: blocks of at most 1 MiB, dictionaries of at most 32 KiB. */
  deflate(block: Uint8Array, dictionary: Uint8Array | undefined): Promise<Uint8Array>
}

let opened: Promise<Isal | undefined> | undefined

/** The library of this machine, or undefined where there is none (or none that passes the trial). Loaded once per thread. */
export function openIsal(): Promise<Isal | undefined> {
  opened ??= open()
  return opened
}

async function open(): Promise<Isal | undefined> {
  const library = findLibrary()
  if (!library) return undefined
  const bindings = bind(library.path)
  const deflater = new IsalDeflater(bindings)
  const isal: Isal = {
    name: `isa-l ${library.version} level ${LEVEL}`,
    inflater: () => new IsalInflater(bindings),
    deflate: (block, dictionary) => deflater.deflate(block, dictionary),
  }
  return (await passesTrial(isal)) ? isal : undefined
}

/** A build whose structures are laid out otherwise gives nonsense or an error here, before it gets any layer. */
async function passesTrial(isal: Isal): Promise<boolean> {
  const sample = Buffer.from('what goes in comes out; '.repeat(40))
  try {
    const packed = Buffer.concat([await isal.deflate(sample, undefined), LAST_BLOCK])
    const inflater = isal.inflater()
    inflater.start()
    inflater.input.set(packed)
    const { at, made, ended } = await inflater.inflate(0, packed.length, 0, true)
    return ended && at === packed.length && sample.equals(inflater.output.subarray(0, made))
  } catch {
    return false
  }
}

/** An empty block of the fixed code, marked as the last (RFC 1951 §3.2.6). */
const LAST_BLOCK = Buffer.from([0x03, 0x00])
