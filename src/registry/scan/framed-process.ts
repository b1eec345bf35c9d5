import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { BaleError, printable } from '#base'
import type { Confinement, ProcessLimits } from './confinement.ts'
import { type Frame, readFrames, writeFrame } from './frames.ts'

interface FramedOptions {
  /** URL of the module that it runs. */
  program: string
  limits: ProcessLimits
  confinement: Confinement
  /** Of one message of the process. */
  frameLimit: number
  /** What it does, for messages of its failures: `scan`. */
  what: string
}

/** Characters of its standard error that are kept: the last ones tell how it ended. */
const KEPT = 4096

/** A process without environment, files and network, which exchanges messages with the registry. Disposing it ends it at once. */
export class FramedProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #frames: AsyncGenerator<Frame>
  readonly #options: FramedOptions
  readonly #ended: Promise<string>
  #said = ''
  #reason: Error | undefined

  constructor(options: FramedOptions) {
    const { program, limits, confinement, frameLimit } = options
    this.#options = options
    const [file, args] = confinement.command(fileURLToPath(program), limits)
    const child = spawn(file, args, { env: {}, cwd: limits.directory ?? '/', stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(signal ?? `code ${code}`))
      child.once('error', (error) => resolve(error.message))
    })
    // The end of its messages tells that it has ended.
    this.#input.on('error', () => undefined)
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-KEPT)
    })
    this.#frames = readFrames(child.stdout as Readable, frameLimit)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  async tell(kind: string, bytes?: Uint8Array | string): Promise<void> {
    try {
      await writeFrame(this.#input, kind, bytes)
    } catch {
      throw await this.#failure()
    }
  }

  /** Its next message. Throws how it ended when there is none, or why it was killed. */
  async hear(): Promise<Frame> {
    try {
      const next = await this.#frames.next()
      if (!next.done) return next.value
    } catch (error) {
      this.kill(error as Error)
    }
    throw await this.#failure()
  }

  /** Ends it at once; whoever waits for it gets the reason. */
  kill(reason: Error): void {
    this.#reason ??= reason
    this.#child.kill('SIGKILL')
  }

  /** Kills it when that time is over. */
  within(milliseconds: number, reason: () => Error): Disposable {
    const timer = setTimeout(() => this.kill(reason()), milliseconds)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  }

  /** Kills it when the signal is aborted. */
  until(signal: AbortSignal): Disposable {
    const abort = () => this.kill(signal.reason as Error)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    return { [Symbol.dispose]: () => signal.removeEventListener('abort', abort) }
  }

  unknownMessage(): BaleError {
    return new BaleError('INTERNAL', `the ${this.#options.what} process sent an unknown message`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  get #input(): Writable {
    return this.#child.stdin!
  }

  async #failure(): Promise<Error> {
    // One that has closed its output and goes on is of no use.
    this.#child.kill('SIGKILL')
    const how = await this.#ended
    if (this.#reason) return this.#reason
    const { what, limits } = this.#options
    if (OUT_OF_MEMORY.test(this.#said)) {
      const mebibytes = Math.round(limits.memory / 1024 / 1024)
      return new BaleError('LIMIT_EXCEEDED', `the ${what} process needs more than ${mebibytes} MiB of memory`)
    }
    const lines = this.#said.trim().split('\n')
    // Node ends with its version, after the error and where it came from.
    const last = lines.find((line) => /^\S*Error\b/.test(line)) ?? lines.at(-1)!
    return new BaleError('INTERNAL', `the ${what} process ended (${how})${last && `: ${printable(last, 300)}`}`)
  }
}

/** As V8, Node and the C library say it. */
const OUT_OF_MEMORY = /out of memory|bad_alloc|Cannot allocate memory|allocation failed|ENOMEM|ERR_MEMORY_ALLOCATION/i
