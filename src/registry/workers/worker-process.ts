import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Connection } from './connection-queue.ts'
import { errorOf } from './failure.ts'
import type { FromWorker, MeasuredFamily, Task, ToWorker } from './messages.ts'
import { pipeLines } from './pipe-lines.ts'

/** What a worker has to say besides its answers. */
export interface WorkerListener {
  report(failure: Error, request: string): void
  debug(room: string, message: string, details: Record<string, unknown> | undefined): void
  /** A process that was ready without a certificate has one. */
  certified(): void
  output: Writable | undefined
  /** Takes back what a process that ended did not get. */
  back(connection: Connection): void
}

type Ready = Extract<FromWorker, { kind: 'ready' }>

const MEASURE_PATIENCE = 2_000
const STOP_PATIENCE = 30_000

/** One process that serves connections which are handed to it. */
export class WorkerProcess {
  /** What the names of its locks begin with. */
  readonly holder = randomBytes(8).toString('hex')
  /** Rejects when it cannot begin. */
  readonly ready: Promise<Ready>
  /** How it ended: `SIGKILL`, or `code 1`. Never rejects. */
  readonly ended: Promise<string>
  isReady = false
  /** As they were seen last. */
  families: MeasuredFamily[] = []
  readonly #child: ChildProcess
  readonly #listener: WorkerListener
  /** One is under way at a time: Node forgets those that wait in its own queue when the process ends. */
  readonly #toHand: Connection[] = []
  #handing: Connection | undefined
  /** Of the connections that it has. */
  readonly #places = new Map<number, Disposable>()
  readonly #answers = new Map<number, (message: FromWorker) => void>()
  #last = 0

  /** `program` is the URL of the module that it runs. */
  constructor(program: string, task: Omit<Task, 'holder'>, listener: WorkerListener) {
    this.#listener = listener
    this.#child = fork(fileURLToPath(program), [], {
      execArgv: process.execArgv.filter((one) => HANDED_ON.test(one)),
      // As the program itself was started: many threads' arenas keep the memory of streams.
      env: { ...task.environment, MALLOC_ARENA_MAX: '2' },
      stdio: ['ignore', listener.output ? 'pipe' : 'ignore', 'inherit', 'ipc'],
    })
    if (listener.output) pipeLines(this.#child.stdout!, listener.output)
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
      this.#child.once('error', (error) => resolve(error.message))
    })
    // The end of the channel is seen before that of the process.
    this.#child.once('disconnect', () => this.#leave())
    void this.ended.then(() => this.#leave())
    this.ready = this.#begin({ ...task, holder: this.holder })
    // It is waited for by who started it; one that replaces another is started again when it ends.
    this.ready.catch(() => undefined)
  }

  get connections(): number {
    return this.#places.size + this.#toHand.length
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Hands it a connection, whose place is left when that has ended. */
  take(connection: Connection): void {
    this.#toHand.push(connection)
    this.#handNext()
  }

  /** As they are now, or were when it last answered in time. */
  async measure(): Promise<MeasuredFamily[]> {
    const answer = await this.#ask('measure', MEASURE_PATIENCE)
    if (answer?.kind === 'measured') this.families = answer.families
    return this.families
  }

  async reload(): Promise<void> {
    await this.#ask('reload', STOP_PATIENCE)
  }

  /** Lets it answer what it is at, and end. One that does not is killed. */
  async stop(): Promise<void> {
    this.#send({ kind: 'stop' })
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_PATIENCE)
    await this.ended
    clearTimeout(kill)
  }

  #begin(task: Task): Promise<Ready> {
    return new Promise((resolve, reject) => {
      this.#child.on('message', (message: FromWorker) => {
        if (message.kind === 'failed') reject(errorOf(message.failure))
        else if (message.kind === 'ready') {
          this.isReady = true
          resolve(message)
        } else this.#hear(message)
      })
      void this.ended.then((how) => reject(new Error(`a process of the registry ended before it was ready (${how})`)))
      this.#send({ kind: 'begin', ...task })
    })
  }

  #handNext(): void {
    if (this.#handing !== undefined || !this.#child.connected) return
    const next = this.#toHand.shift()
    if (!next) return
    const id = ++this.#last
    this.#handing = next
    this.#places.set(id, next.place)
    // It stays open here as well until it is taken: of what cannot be sent Node would forget the handle, for ever open.
    this.#child.send({ kind: 'connection', id } satisfies ToWorker, next.socket, { keepOpen: true }, () => undefined)
  }

  /** Closes what the process has, or never will have: whether it has read from it nobody knows. */
  #handed(): void {
    this.#handing?.socket.destroy()
    this.#handing = undefined
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'taken') {
      this.#handed()
      this.#handNext()
    } else if (message.kind === 'closed') this.#close(message.id)
    else if (message.kind === 'certified') this.#listener.certified()
    else if (message.kind === 'report') this.#listener.report(errorOf(message.failure), message.request)
    else if (message.kind === 'debug') this.#listener.debug(message.room, message.message, message.details)
    else if ('id' in message) this.#answers.get(message.id)?.(message)
  }

  /** Undefined when it has ended, or takes too long. */
  async #ask(kind: 'measure' | 'reload', patience: number): Promise<FromWorker | undefined> {
    const id = ++this.#last
    const answer = new Promise<FromWorker>((resolve) => this.#answers.set(id, resolve))
    this.#send({ kind, id })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patience)
    })
    try {
      return await Promise.race([answer, late, this.ended.then(() => undefined)])
    } finally {
      clearTimeout(timer)
      this.#answers.delete(id)
    }
  }

  /** One that has ended is not told anything: that it has is seen elsewhere. */
  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  #close(id: number): void {
    this.#places.get(id)?.[Symbol.dispose]()
    this.#places.delete(id)
  }

  #leave(): void {
    this.isReady = false
    this.#handed()
    for (const id of [...this.#places.keys()]) this.#close(id)
    for (const connection of this.#toHand.splice(0)) this.#listener.back(connection)
  }
}

/** How Node itself was started, but not what for. */
const HANDED_ON = /^--(?:conditions|max-|initial-|expose-gc|disable-warning)/
