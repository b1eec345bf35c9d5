import { BaleError } from '#base'
import type { Reference } from '#spec'

/** All tags of a repository were requested: throws INVALID_ARGUMENT when its name has a tag or digest. */
export function mustNameNoTag({ tag, digest }: Reference): void {
  if (tag || digest) throw new BaleError('INVALID_ARGUMENT', 'either one tag or all tags')
}
