import { copyImage } from '#image'
import { createArchiveTarget } from '#transport'
import { imageOfTars } from './image-of-tars.ts'

/** Writes an archive of an image of these layers, as `bale save` does. */
export async function archiveOfTars(path: string, tars: readonly Buffer[]): Promise<void> {
  const { place } = await imageOfTars(tars)
  await using target = await createArchiveTarget(path)
  await copyImage(place, target, { name: 'image', targetName: 'image' })
  await target.finish()
}
