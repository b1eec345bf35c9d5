import { type Digest, familiarName, familiarRepository, type Reference } from '#spec'
import type { NewEvent } from '#store/events'
import { findDocument, type Rows } from '#store/rows'
import { chooseImage } from './find-image.ts'
import { imageById } from './image-table.ts'

/**
 * What happened to an image, with its labels: about its ID, or, when it went to or came from a registry, about the
 * reference that was used. Source: moby, daemon/images/events.go.
 */
export function imageEvent(
  rows: Rows,
  action: string,
  target: Digest,
  { actor, name }: { actor?: string; name?: string } = {},
): NewEvent {
  const row = findDocument(rows, target)
  const image = row?.kind === 'config' ? imageById(rows, target) : row && chooseImage(rows, row)
  const id = image?.id ?? target
  const attributes = { ...image?.config.config?.Labels, name: name ?? id }
  return { type: 'image', action, actor: actor ?? id, attributes }
}

/** Actor and name of a transfer: the reference as it is shown, and its repository. */
export function transferNames({ registry, repository, tag, digest }: Reference): { actor: string; name: string } {
  const shown = familiarName({ registry, repository, tag, digest })
  return { actor: shown, name: familiarRepository({ registry, repository }) }
}
