import { BaleError, type Log, noLog } from '#base'
import type { ImageSource } from '#image'

/**
 * Several places with the same images as one: each request goes to the first that can answer it. Names are resolved by
 * the first place that has them; everything else is requested by digest, so places cannot disagree unnoticed.
 */
export function createMirroredSource(sources: readonly ImageSource[], log: Log = noLog): ImageSource {
  /** A place that cannot be reached is not tried again: each try takes up to the connection timeout. */
  const unreachable = new Set<ImageSource>()
  const firstOf = async <T>(ask: (source: ImageSource) => Promise<T>): Promise<T> => {
    for (const source of sources.slice(0, -1)) {
      if (unreachable.has(source)) continue
      try {
        return await ask(source)
      } catch (error) {
        if (!(error instanceof BaleError) || error.code === 'ABORTED') throw error
        if (error.code === 'REGISTRY_UNREACHABLE') unreachable.add(source)
        log.debug('transport', `a mirror could not answer: ${error.message}`)
      }
    }
    return ask(sources.at(-1)!)
  }
  return {
    resolve: (name, options) => firstOf((source) => source.resolve(name, options)),
    manifest: (descriptor, options) => firstOf((source) => source.manifest(descriptor, options)),
    blob: (descriptor, options) => firstOf((source) => source.blob(descriptor, options)),
  }
}
