import type { Accounts } from '../auth/index.ts'
import type { Hooks } from '../hooks/index.ts'
import type {
  Exceptions,
  Images,
  Policies,
  Promotions,
  Quotas,
  Renames,
  Replications,
  Scans,
  Tags,
} from '../policies/index.ts'
import type { CollectionRequest, CollectionResult } from './collection.ts'

/** Administration of a registry that can be done from afar as well as beside its data. */
export interface Administration extends Accounts {
  policies: Policies
  exceptions: Exceptions
  scans: Scans
  images: Images
  tags: Tags
  promotions: Promotions
  renames: Renames
  quotas: Quotas
  hooks: Hooks
  replications: Replications
  /** LOCKED when another process of the registry collects. */
  collectGarbage(options?: CollectionRequest & { signal?: AbortSignal }): Promise<CollectionResult>
}

type Method = (...args: never[]) => unknown

/** `users.add`; `collectGarbage`. */
export type OperationName = {
  [Noun in keyof Administration]: Administration[Noun] extends Method
    ? Noun
    : `${Noun}.${keyof Administration[Noun] & string}`
}[keyof Administration]

/** What a name of an operation calls. */
export type MethodOf<Name extends OperationName> = Name extends `${infer Noun}.${infer Verb}`
  ? Noun extends keyof Administration
    ? Verb extends keyof Administration[Noun]
      ? Extract<Administration[Noun][Verb], Method>
      : never
    : never
  : Extract<Administration[Name & keyof Administration], Method>
