import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { siblingModule, threadProgram } from '#host/file'
import type { Digest } from '#spec'
import type { FromHashWorker, ToHashWorker } from './hash-worker.ts'

/**
 * A thread that hashes what uploads bring, so that receiving the next bytes and writing the last ones go on meanwhile. It
 * starts when it is needed and ends when it was not for a while; what it knew of unfinished uploads is then lost, and their
 * bytes are read again at the end.
 */
export interface HashThread extends AsyncDisposable {
  begin(algorithm: 'sha256' | 'sha512'): RunningHash
  /** Memory to fill; that of `RunningHash.update` comes back by itself, other must be given back. */
  takeBlock(): SharedArrayBuffer
  giveBack(block: SharedArrayBuffer): void
}

export interface RunningHash {
  /** Takes the block, of which so many bytes count. Fulfilled when there is room for another one. */
  update(block: SharedArrayBuffer, length: number): Promise<void>
  /** Of all blocks so far; undefined when the thread ended in between. */
  digest(): Promise<Digest | undefined>
  drop(): void
}

export const BLOCK = 256 * 1024

/** Of one hash: one that is hashed, and one that waits. */
const BLOCKS_UNDER_WAY = 2
/** Kept to be filled again: of four uploads at once. */
const SPARE_BLOCKS = 12
/** Longer than a slow client takes for a block. */
const IDLE = 300_000

/** Undefined on a machine where it would only take the time of the thread that it spares. */
export function createHashThread({ idle = IDLE, processors = availableParallelism() } = {}): HashThread | undefined {
  return processors > 1 ? new LazyHashThread(idle) : undefined
}

class LazyHashThread implements HashThread {
  readonly #idle: number
  readonly #spare: SharedArrayBuffer[] = []
  #thread: Thread | undefined
  #timer: NodeJS.Timeout | undefined
  #number = 0

  constructor(idle: number) {
    this.#idle = idle
  }

  takeBlock(): SharedArrayBuffer {
    return this.#spare.pop() ?? new SharedArrayBuffer(BLOCK)
  }

  giveBack(block: SharedArrayBuffer): void {
    if (this.#spare.length < SPARE_BLOCKS) this.#spare.push(block)
  }

  begin(algorithm: 'sha256' | 'sha512'): RunningHash {
    const id = this.#number++
    const thread = this.#started()
    const under: Promise<unknown>[] = []
    return {
      update: async (block, length) => {
        const done = thread.ask({ kind: 'update', id, algorithm, memory: block, length })
        this.#isUsed()
        under.push(done.then(() => this.giveBack(block)))
        if (under.length >= BLOCKS_UNDER_WAY) await under.shift()
      },
      digest: async () => {
        const answer = await thread.ask({ kind: 'digest', id })
        return answer?.hex === undefined ? undefined : (`${algorithm}:${answer.hex}` as Digest)
      },
      drop: () => thread.tell({ kind: 'drop', id }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#spare.length = 0
    await this.#thread?.end()
  }

  #started(): Thread {
    if (!this.#thread || this.#thread.isOver) this.#thread = new Thread()
    this.#isUsed()
    return this.#thread
  }

  #isUsed(): void {
    this.#timer ??= setTimeout(() => {
      if (this.#thread?.isBusy) this.#timer!.refresh()
      else void this[Symbol.asyncDispose]()
    }, this.#idle).unref()
    this.#timer.refresh()
  }
}

/** One life of the thread. */
class Thread {
  readonly #worker: Worker
  /** Who waits for an answer, by the hash that it is about. */
  readonly #waiting = new Map<number, ((answer: FromHashWorker | undefined) => void)[]>()
  isOver = false

  constructor() {
    const { code, options } = threadProgram(siblingModule(import.meta.url, './hash-worker'))
    this.#worker = new Worker(code, options)
    this.#worker.unref()
    this.#worker.on('message', (answer: FromHashWorker) => this.#answered(answer))
    // What it knew is lost, which those who ask are told.
    this.#worker.on('error', () => this.#over())
    this.#worker.on('exit', () => this.#over())
  }

  get isBusy(): boolean {
    return this.#waiting.size > 0
  }

  /** Undefined when the thread ends before it answers. */
  ask(message: ToHashWorker): Promise<FromHashWorker | undefined> {
    if (this.isOver) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const others = this.#waiting.get(message.id)
      if (others) others.push(resolve)
      else this.#waiting.set(message.id, [resolve])
      this.#worker.postMessage(message)
    })
  }

  tell(message: ToHashWorker): void {
    if (!this.isOver) this.#worker.postMessage(message)
  }

  #answered(answer: FromHashWorker): void {
    const those = this.#waiting.get(answer.id)
    those?.shift()?.(answer)
    if (those?.length === 0) this.#waiting.delete(answer.id)
  }

  async end(): Promise<void> {
    this.#over()
    await this.#worker.terminate()
  }

  #over(): void {
    this.isOver = true
    for (const those of this.#waiting.values()) for (const resolve of those) resolve(undefined)
    this.#waiting.clear()
  }
}
