import { BaleError } from '#base'

type Kind = 'string' | 'number' | 'boolean' | 'object' | 'list' | 'texts'

/** Member -> what its value must be; with `?` at its end it may be missing. */
export type Shape = Readonly<Record<string, Kind | `${Kind}?`>>

/** What a document of the store is called in a message, and the versions that are known. */
interface DocumentName {
  /** `container 0123456789ab` */
  what: string
  newest: number
}

/**
 * The version of a document that has the members of a shape (1 when it says none). Throws STORE_VERSION for one that a newer
 * bale wrote, STORE_DAMAGED for what no bale wrote. Members beside the shape's are kept: a shape names what others rely on.
 */
export function versionOf(document: unknown, { what, newest }: DocumentName): number {
  if (kindOf(document) !== 'object') throw damaged(what, 'it is not an object')
  const { version = 1 } = document as { version?: unknown }
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1)
    throw damaged(what, 'its version is not a number')
  if (version > newest)
    throw new BaleError(
      'STORE_VERSION',
      `the record of ${what} has version ${version}, but this bale knows only ${newest}`,
      {
        next: { act: 'use-newer-bale' },
      },
    )
  return version
}

/** Throws STORE_DAMAGED when a member is missing or of another kind. */
export function assertShape(document: unknown, shape: Shape, what: string): void {
  if (kindOf(document) !== 'object') throw damaged(what, 'it is not an object')
  for (const [name, wanted] of Object.entries(shape)) {
    const value = (document as Record<string, unknown>)[name]
    if (value === undefined && wanted.endsWith('?')) continue
    if (!isKind(value, wanted.replace('?', '') as Kind))
      throw damaged(what, `${name} is not of type ${wanted.replace('?', '')}`)
  }
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === 'texts')
    return kindOf(value) === 'object' && Object.values(value as object).every((one) => typeof one === 'string')
  return kindOf(value) === kind
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  return value === null ? 'null' : typeof value
}

function damaged(what: string, why: string): BaleError {
  return new BaleError('STORE_DAMAGED', `the record of ${what} cannot be read: ${why}`)
}
