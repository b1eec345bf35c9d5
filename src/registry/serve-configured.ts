import type { Configuration } from './configuration/index.ts'
import { type ServedConfiguration, type Surroundings, serveAlone } from './configured.ts'

/** Serves the registry that a file describes, by as many processes as it says. */
export async function serveConfigured(
  configuration: Configuration,
  surroundings: Surroundings,
): Promise<ServedConfiguration> {
  if (configuration.listen.workers === 1) return await serveAlone(configuration, surroundings)
  const { serveByWorkers } = await import('./serve-by-workers.ts')
  return await serveByWorkers(configuration, surroundings)
}
