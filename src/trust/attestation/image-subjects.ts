import type { Digest, ImageName, Platform } from '#spec'
import { imageUrl } from './image-url.ts'
import type { StatementSubject } from './statement.ts'

/** An image as the subject of statements, once under each of its names. */
export function imageSubjects(names: readonly ImageName[], platform: Platform, digest: Digest): StatementSubject[] {
  if (names.length === 0) return [{ name: '_', digest }]
  return names.map((name) => ({ name: imageUrl(name, { platform }), digest }))
}
