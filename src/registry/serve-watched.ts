import { BaleError, systemClock } from '#base'
import { createRegistry, type RegistryOptions } from './embedded.ts'
import { serveMetrics } from './metrics-server.ts'
import { type OperationOptions, openOperation, textOf } from './operation/index.ts'
import type { Registry, RegistrySettings } from './registry.ts'
import { reportOnce } from './report.ts'
import { checkProtection, type ListenOptions, listenWith, type ServedRegistry } from './serve.ts'

/** An embedded registry that listens. */
export interface ServeOptions extends RegistryOptions, ListenOptions, OperationOptions {}

/** Serves an embedded registry, as `listenWith`, with what its operator wants to see of it. */
export async function serveRegistry(options: ServeOptions): Promise<ServedRegistry> {
  return await serveWatched(options, (watching) => createRegistry({ ...options, ...watching }))
}

/** Opens a registry and serves it as `listenWith`, watched for its operator. */
export async function serveWatched(
  options: ListenOptions & OperationOptions,
  open: (watching: Pick<RegistrySettings, 'observe' | 'tracer'>) => Promise<Registry>,
): Promise<ServedRegistry> {
  checkProtection(options)
  checkMetricsAddress(options)
  const report = reportOnce(options.report ?? (() => undefined), systemClock)
  await using opening = new AsyncDisposableStack()
  const operation = opening.use(await openOperation(options, report))
  const { metrics, observe, tracer } = operation
  const metricsServer = metrics && opening.use(await serveMetrics(options.metrics!, () => textOf(metrics.families)))
  const served = await listenWith(await open({ observe, tracer }), { ...options, observe })
  const watching = opening.move()
  return {
    ...served,
    metricsUrl: metricsServer?.url,
    reloads: served.reloads || operation.reloads,
    async reload() {
      await Promise.all([served.reload(), operation.reload()])
    },
    async [Symbol.asyncDispose]() {
      await using _ = watching
      await served[Symbol.asyncDispose]()
    },
  }
}

/** Clients of the registry are not to see them. */
export function checkMetricsAddress({ host = '127.0.0.1', port, metrics }: ListenOptions & OperationOptions): void {
  if (!metrics || port === 0 || metrics.host !== host || metrics.port !== port) return
  throw new BaleError('INVALID_ARGUMENT', `metrics need an address of their own: clients use ${host}:${port}`)
}
