import { createServer } from 'node:net'
import { systemClock } from '#base'
import { siblingModule } from '#host/file'
import { type Configuration, loadCredentials } from './configuration/index.ts'
import { listenOptions, requestLogOf, type ServedConfiguration, type Surroundings } from './configured.ts'
import { holdForGroup } from './embedded.ts'
import { createConnectionLimit } from './http/index.ts'
import { listen } from './listen.ts'
import { serveMetrics } from './metrics-server.ts'
import { processFamilies } from './operation/index.ts'
import { reportOnce } from './report.ts'
import { checkProtection } from './serve.ts'
import { checkMetricsAddress } from './serve-watched.ts'
import { createConnectionQueue, summedFamilies, type WorkerListener, WorkerSlot } from './workers/index.ts'

/**
 * Serves the registry that a file describes by `listen.workers` processes. This one accepts connections, counts them for all
 * and hands them over; a process that ends is replaced. Disposing it lets all of them end as one would.
 */
export async function serveByWorkers(
  configuration: Configuration,
  surroundings: Surroundings,
): Promise<ServedConfiguration> {
  const { listen: where, content, metrics } = configuration
  const credentials = await loadCredentials(configuration, surroundings.environment)
  const options = listenOptions(configuration, credentials, surroundings)
  checkProtection(options)
  checkMetricsAddress({ ...options, metrics })
  await using opening = new AsyncDisposableStack()
  if (content.kind === 'embedded') opening.use(await holdForGroup(content.directory, surroundings.clock))
  const slots: WorkerSlot[] = []
  const queue = opening.use(
    createConnectionQueue(createConnectionLimit(where), () => slots.map(({ current }) => current)),
  )
  // The others see it within a second.
  const certified = Promise.withResolvers<void>()
  const told = { back: queue.addAgain, certified: certified.resolve }
  const listener = listenerOf(configuration, surroundings, told)
  const metricsServer = metrics && opening.use(await serveMetrics(metrics, () => metricsOf(slots)))
  const server = createServer({ pauseOnConnect: true, noDelay: true }, queue.add)
  const address = await listen(server, where)
  opening.defer(async () => {
    server.close()
    await Promise.all(slots.map((slot) => slot.stop()))
  })
  const { environment, log } = surroundings
  const program = siblingModule(import.meta.url, './worker-main')
  for (let number = 0; number < where.workers; number++) {
    const task = { configuration, environment, address, isFirst: number === 0, logs: log !== undefined }
    slots.push(new WorkerSlot({ program, task, listener, ready: queue.flush }))
  }
  const [first] = await Promise.all(slots.map(({ current }) => current.ready))
  const opened = opening.move()
  return {
    address,
    url: `${where.tls ? 'https' : 'http'}://${address}`,
    metricsUrl: metricsServer?.url,
    hasUsers: first!.hasUsers,
    certified: first!.certified ? undefined : certified.promise,
    reloads: first!.reloads,
    async reload() {
      await Promise.all(slots.map(({ current }) => current.reload()))
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function listenerOf(
  configuration: Configuration,
  surroundings: Surroundings,
  told: Pick<WorkerListener, 'back' | 'certified'>,
): WorkerListener {
  const { clock = systemClock, log } = surroundings
  return {
    ...told,
    report: reportOnce(surroundings.report ?? (() => undefined), clock),
    debug: (room, message, details) => log?.debug(room, message, details),
    output: requestLogOf(configuration, surroundings) === surroundings.output ? surroundings.output : undefined,
  }
}

/** Of all processes, this one as well. */
async function metricsOf(slots: readonly WorkerSlot[]): Promise<string> {
  const own = (await processFamilies()).map(({ text, ...family }) => ({ ...family, text: text() }))
  const all = await Promise.all(slots.map((slot) => slot.measure()))
  return summedFamilies([...all, own])
    .map(({ text }) => text)
    .join('')
}
