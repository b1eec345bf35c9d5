import type { OperationOptions } from '#base'
import { isTag } from '#spec'
import type { Names } from './names.ts'
import { listNames } from './pages.ts'
import type { Session } from './session.ts'

/** All tags of a repository, each once. Names that cannot be tags are left out. */
export function listTags(session: Session, names: Names, { signal }: OperationOptions = {}): AsyncIterable<string> {
  return listNames(session, {
    first: names.path('tags/list'),
    scopes: names.pull,
    member: 'tags',
    what: `tags of ${names.registry}/${names.repository}`,
    isName: isTag,
    signal,
  })
}
