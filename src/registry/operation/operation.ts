import type { Writable } from 'node:stream'
import type { Family } from './exposition.ts'
import type { Metrics } from './metrics.ts'
import type { Observe, RegistryEvent } from './registry-event.ts'
import type { createSpanSender, SpanSenderOptions } from './span-sender.ts'
import type { Tracer } from './tracer.ts'

/** What the operator wants to see of a registry. */
export interface OperationOptions {
  /** Where a line of JSON is written for each request: a stream, or the path of a file. */
  requestLog?: Writable | string
  /** An address of its own, where `/metrics` is served to everybody who reaches it. Port 0 takes a free one. */
  metrics?: { host: string; port: number }
  tracing?: TracingOptions
}

/** Where traces of requests are sent, and of how many. */
export interface TracingOptions extends SpanSenderOptions {
  /** From 0 to 1: of the requests that are not part of a trace already. */
  sample: number
}

/** Watches a registry for its operator. Dispose it after the registry. */
interface Operation extends AsyncDisposable {
  /** Undefined when nothing is to be seen. */
  observe: Observe | undefined
  metrics: Metrics | undefined
  tracer: Tracer | undefined
  /** Whether there are files to open again. */
  reloads: boolean
  reload(): Promise<void>
}

/** `report` is told of what fails later; what cannot be opened now rejects. Most registries are served without all this. */
export async function openOperation(
  { requestLog, metrics: address, tracing, observe }: OperationOptions & { observe?: Observe | undefined },
  report: (failure: unknown, what: string) => void,
): Promise<Operation> {
  await using opened = new AsyncDisposableStack()
  const log =
    requestLog === undefined
      ? undefined
      : opened.use(await (await import('./request-log.ts')).openRequestLog(requestLog, report))
  const metrics = address && (await import('./metrics.ts')).createMetrics()
  const all = toAll([observe, log?.observe, metrics?.observe].filter((one) => one !== undefined))
  const tracer = tracing && (await openTracing(tracing, { report, observe: all }, opened))
  const parts = opened.move()
  return {
    observe: all,
    metrics,
    tracer,
    reloads: typeof requestLog === 'string',
    async reload() {
      await log?.reopen()
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** Metrics of this process alone. */
export async function processFamilies(): Promise<Family[]> {
  return (await import('./metrics.ts')).processMetrics()
}

async function openTracing(
  { sample, ...sending }: TracingOptions,
  told: Parameters<typeof createSpanSender>[1],
  opened: AsyncDisposableStack,
): Promise<Tracer> {
  const [{ createTracer }, { createSpanSender }] = await Promise.all([
    import('./tracer.ts'),
    import('./span-sender.ts'),
  ])
  const sender = opened.use(createSpanSender(sending, told))
  return createTracer({ sample }, (span) => sender.add(span))
}

/** One that tells all of them; undefined for none. */
export function toAll(several: readonly Observe[]): Observe | undefined {
  if (several.length < 2) return several[0]
  return (event: RegistryEvent) => {
    for (const observe of several) observe(event)
  }
}
