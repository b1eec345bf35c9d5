import { imageName, parseReference } from '#spec'
import type { EngineContext } from './context/context.ts'

/** Gives an image (name, ID, digest) one more name. What that name pointed to before stays as an image without it. */
export async function tagImage(context: EngineContext, source: string, target: string): Promise<void> {
  const name = imageName(parseReference(target))
  const store = await context.store()
  const found = await store.images.find(source)
  await store.images.setName(name, found.target, { tagged: true })
}
