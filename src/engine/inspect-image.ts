import { type HistoryRow, imageHistory as historyOf, type ImageInspect, imageInspect } from '#docker/views'
import { parsePlatform } from '#spec'
import type { EngineContext } from './context/context.ts'
import { nameAsTyped } from './name-as-typed.ts'

/** docker's JSON of an image by name, ID or digest. Throws IMAGE_NOT_FOUND. */
export async function inspectImage(
  context: EngineContext,
  name: string,
  options: { platform?: string } = {},
): Promise<ImageInspect> {
  const store = await context.store()
  const platform = options.platform === undefined ? context.platform : parsePlatform(options.platform)
  return imageInspect(await nameAsTyped(name, store.images.resolve(name, { platform })))
}

/** The steps that made an image, newest first. */
export async function imageHistory(context: EngineContext, name: string): Promise<HistoryRow[]> {
  const store = await context.store()
  const image = await store.images.resolve(name, { platform: context.platform })
  return historyOf(image, async (diffId) => (await store.layers.get(diffId))?.contentSize ?? 0)
}
