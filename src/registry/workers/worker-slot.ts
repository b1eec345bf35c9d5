import { setTimeout as sleep } from 'node:timers/promises'
import type { MeasuredFamily, Task } from './messages.ts'
import { lastingFamilies, summedFamilies } from './summed-families.ts'
import { type WorkerListener, WorkerProcess } from './worker-process.ts'

interface SlotParts {
  /** URL of the module that its processes run. */
  program: string
  task: Omit<Task, 'holder' | 'former'>
  listener: WorkerListener
  /** Told whenever its process takes connections. */
  ready(): void
}

const SOON = 100
const LATEST = 10_000
/** One that lived so long was no failure of the start. */
const LONG = 30_000

/**
 * One of the places of a group: a process, and when that ends another one. The first replacement is started at once, further
 * ones after longer and longer pauses.
 */
export class WorkerSlot {
  current: WorkerProcess
  readonly #parts: SlotParts
  readonly #stopping = new AbortController()
  #failures = 0
  /** Of a process that had locks and was not replaced yet. */
  #former: string | undefined
  #lasting: MeasuredFamily[] = []
  #keeping: Promise<void>

  constructor(parts: SlotParts) {
    this.#parts = parts
    this.current = this.#start()
    this.#keeping = this.#keep()
  }

  /** Metrics of all of its processes. */
  async measure(): Promise<MeasuredFamily[]> {
    const { current } = this
    const now = current.isReady ? await current.measure() : []
    return summedFamilies([now, this.#lasting])
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.current.stop()
    await this.#keeping
  }

  #start(): WorkerProcess {
    const { program, task, listener } = this.#parts
    const worker = new WorkerProcess(program, { ...task, former: this.#former }, listener)
    worker.ready.then(
      () => {
        this.#former = undefined
        this.#parts.ready()
      },
      () => undefined,
    )
    return worker
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const { current } = this
      const began = performance.now()
      const wasReady = await Promise.race([current.ready.then(() => true), current.ended.then(() => false)]).catch(
        () => false,
      )
      const how = await current.ended
      if (signal.aborted) return
      if (wasReady) this.#former = current.holder
      this.#lasting = summedFamilies([this.#lasting, lastingFamilies(current.families)])
      if (performance.now() - began > LONG) this.#failures = 0
      const pause = this.#failures === 0 ? 0 : Math.min(LATEST, SOON * 2 ** this.#failures)
      this.#failures++
      const after = pause === 0 ? 'now' : `in ${pause / 1000} seconds`
      this.#parts.listener.report(
        new Error(`process ${current.pid} ended (${how}); another one is started ${after}`),
        'serving',
      )
      await sleep(pause, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) this.current = this.#start()
    }
  }
}
