import { BaleError } from '#base'
import { fullName, parseReference, withDefaultTag } from '#spec'
import type { EngineContext } from './context/context.ts'

/** Gives an image (name, ID, digest) one more name. What that name pointed to before stays as an image without it. */
export async function tagImage(context: EngineContext, source: string, target: string): Promise<void> {
  const reference = parseReference(target)
  if (reference.digest !== undefined) {
    throw new BaleError('INVALID_REFERENCE', `refusing to create a tag with a digest reference: ${target}`)
  }
  const store = await context.store()
  const found = await store.images.find(source)
  await store.images.setName(fullName(withDefaultTag(reference)), found.target, { tagged: true })
}
