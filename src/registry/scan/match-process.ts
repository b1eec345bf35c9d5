import { BaleError } from '#base'
import { siblingModule } from '#host/file'
import { parseJson } from '#spec'
import type { Confinement } from './confinement.ts'
import { FramedProcess } from './framed-process.ts'
import type { Frame } from './frames.ts'
import { BEGIN, DAY, FAILURE, KEYS, MATCH, type OpenedBundle, RESULT } from './messages.ts'
import { TEXT_LIMIT } from './scan-record.ts'
import { toldFailure } from './told-failure.ts'

interface MatchProcessOptions {
  /** Path of the bundle. */
  advisories: string
  confinement: Confinement
  /** Bytes. */
  memory: number
  signal: AbortSignal
  /** Another program in its place, for tests. */
  program?: string | undefined
}

/** What is known of one image. */
interface Matched {
  /** A result as it is stored. */
  bytes: Uint8Array
  /** Of its findings. */
  keys: string[]
}

const PROGRAM = siblingModule(import.meta.url, './match-program')

/** Of one inventory: that of the largest image takes some seconds. */
const PATIENCE = 60_000
/** It lives as long as the registry: no limit of its processor time would fit. */
const A_YEAR = 365 * 24 * 3_600_000

/** A process that has a bundle of advisories open, whatever becomes of the file. Dispose it to end it. */
export class MatchProcess implements AsyncDisposable {
  readonly opened: OpenedBundle
  readonly #child: FramedProcess
  readonly #until: Disposable
  #day: string | undefined
  #isOver = false

  private constructor(child: FramedProcess, opened: OpenedBundle, until: Disposable) {
    this.opened = opened
    this.#child = child
    this.#until = until
  }

  /** Throws what `openBundle` throws. */
  static async start(options: MatchProcessOptions): Promise<MatchProcess> {
    const { advisories, confinement, memory, signal, program = PROGRAM } = options
    const limits = { memory, time: A_YEAR, reads: [advisories] }
    const child = new FramedProcess({ program, limits, confinement, frameLimit: TEXT_LIMIT, what: 'match' })
    const until = child.until(signal)
    try {
      using _ = child.within(PATIENCE, tooLong)
      await child.tell(BEGIN, advisories)
      const { kind, bytes } = await child.hear()
      if (kind === FAILURE) throw toldFailure(bytes)
      return new MatchProcess(child, openedOf(bytes, child), until)
    } catch (error) {
      until[Symbol.dispose]()
      await child[Symbol.asyncDispose]()
      throw error
    }
  }

  /** True of one that has crashed or was killed: it does not answer any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Matches an inventory as it is stored, one at a time. `today` is YYYY-MM-DD. Throws what the process throws, or how that ended. */
  async match(inventory: Uint8Array, today: string): Promise<Matched> {
    const answer = await this.#ask(inventory, today)
    if ('failure' in answer) throw answer.failure
    return answer
  }

  async #ask(inventory: Uint8Array, today: string): Promise<Matched | { failure: Error }> {
    using _ = this.#child.within(PATIENCE, tooLong)
    try {
      if (today !== this.#day) await this.#child.tell(DAY, today)
      this.#day = today
      await this.#child.tell(MATCH, inventory)
      const first = await this.#child.hear()
      if (first.kind === FAILURE) return { failure: toldFailure(first.bytes) }
      return matchedOf([first, await this.#child.hear()], this.#child)
    } catch (error) {
      this.#isOver = true
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    this.#until[Symbol.dispose]()
    await this.#child[Symbol.asyncDispose]()
  }
}

function openedOf(bytes: Buffer, child: FramedProcess): OpenedBundle {
  const told = parseJson(bytes.toString())
  const { version, created } = (typeof told === 'object' && told !== null ? told : {}) as Record<string, unknown>
  if (typeof version === 'string' && typeof created === 'string') return { version, created }
  throw child.unknownMessage()
}

function matchedOf([keys, result]: [Frame, Frame], child: FramedProcess): Matched {
  const told = keys.kind === KEYS && result.kind === RESULT ? parseJson(keys.bytes.toString()) : undefined
  if (Array.isArray(told) && told.every((one) => typeof one === 'string')) return { bytes: result.bytes, keys: told }
  throw child.unknownMessage()
}

function tooLong(): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `matching one image took longer than ${PATIENCE / 1000} seconds`)
}
