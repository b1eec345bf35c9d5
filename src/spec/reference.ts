import { BaleError, printable } from '#base'
import { type Digest, isDigest } from './digest.ts'

/** A normalised image name: always with a registry, never with an implied default tag. Frozen. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string
  /** `library/debian`, without the registry. */
  readonly repository: string
  readonly tag?: string
  /** Takes precedence over the tag when both are given. */
  readonly digest?: Digest
}

/** The name of an image in a store: always with a tag, never with a digest. */
export type ImageName = Reference & { readonly tag: string; readonly digest?: undefined }

/** What a registry knows an image by: a repository at a digest. */
export type RepoDigest = Reference & { readonly digest: Digest }

/** The registry of a name that has none: Docker Hub. */
export const DEFAULT_REGISTRY = 'docker.io'
/** The tag of a name that has neither tag nor digest. */
export const DEFAULT_TAG = 'latest'
const OFFICIAL = 'library/'
/** Longest registry and repository together. Source: distribution reference, NameTotalLengthMax. */
const NAME_LIMIT = 255

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?'
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[A-Fa-f0-9:]+\\])(?::[0-9]{1,5})?$`)
const COMPONENT = '[a-z0-9]+(?:(?:\\.|__|_|-+)[a-z0-9]+)*'
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const HEX_ID = /^(?:sha256:)?[0-9a-f]{64}$/

/**
 * Reads a name as docker does: `debian` is docker.io/library/debian, and the part before the first slash is a registry
 * only if it contains a dot or a colon or is `localhost`. (Docker since 2023 also treats a word with a capital as a host; here
 * `Ann/tool` is an error, as it most likely is a mistake.) No tag is added (`withDefaultTag`).
 * Sixty-four hexadecimal digits are an image ID and never a name. Throws INVALID_REFERENCE.
 */
export function parseReference(text: string): Reference {
  if (HEX_ID.test(text)) {
    throw new BaleError(
      'INVALID_REFERENCE',
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
      {
        next: { act: 'tag' },
        hint: 'sixty-four hexadecimal digits are an image ID',
        details: { reference: text },
      },
    )
  }
  const { name, tag, digest } = cut(text)
  const { registry, path } = splitRegistry(name)
  if (path === '') throw invalid(text, 'invalid reference format', NAME_HINT)
  if (path !== path.toLowerCase()) {
    throw invalid(text, 'invalid reference format: repository name must be lowercase', `try ${text.toLowerCase()}`)
  }
  if (!REGISTRY.test(registry) || !REPOSITORY.test(path)) throw invalid(text, 'invalid reference format', NAME_HINT)
  if (registry.length + 1 + path.length > NAME_LIMIT) {
    throw invalid(text, `invalid reference format: repository name must not be more than ${NAME_LIMIT} characters`)
  }
  if (tag !== undefined) checkTag(tag, text)
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, 'invalid reference format: the part after @ is not a digest', DIGEST_HINT)
  }
  return reference({ registry, repository: path, tag, digest: digest as Digest | undefined })
}

/** A digest alone (`sha256:…`), or a name. For commands that accept either; short IDs are the store's matter. */
export function parseReferenceOrDigest(text: string): Reference | Digest {
  return isDigest(text) ? text : parseReference(text)
}

/** Whether a text may be a tag: at most 128 letters, digits, `_`, `.` and `-`. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** True for a valid repository path, between registry and tag: `library/debian`. */
export function isRepository(text: string): boolean {
  return text.length <= NAME_LIMIT && REPOSITORY.test(text)
}

/** `docker.io/library/debian:12`: what the store keeps. With tag and digest both are written. */
export function fullName(of: Reference): string {
  return repositoryName(of) + suffix(of)
}

/** `debian:12`, `localhost:5000/team/web:1`: what people see. */
export function familiarName(of: Reference): string {
  return familiarRepository(of) + suffix(of)
}

/** `docker.io/library/debian`. */
export function repositoryName(of: Pick<Reference, 'registry' | 'repository'>): string {
  return `${of.registry}/${of.repository}`
}

/** `debian`, `ann/tool`, `localhost:5000/team/web`: the shortest text that reads as the same repository. */
export function familiarRepository({ registry, repository }: Reference): string {
  if (registry !== DEFAULT_REGISTRY) return `${registry}/${repository}`
  const [first, ...rest] = repository.split('/')
  if (looksLikeRegistry(first!)) return `${registry}/${repository}`
  return `${first}/` === OFFICIAL && rest.length === 1 ? rest[0]! : repository
}

/** The same repository with this tag and without a digest. Throws INVALID_REFERENCE for a bad tag. */
export function withTag(of: Reference, tag: string): ImageName {
  checkTag(tag, tag)
  return reference({ registry: of.registry, repository: of.repository, tag }) as ImageName
}

/** The same repository at this digest, without a tag. */
export function withDigest(of: Reference, digest: Digest): RepoDigest {
  return reference({ registry: of.registry, repository: of.repository, digest }) as RepoDigest
}

/** The name that an image gets in a store: `latest` without a tag. Throws INVALID_REFERENCE for a name with a digest. */
export function imageName(of: Reference): ImageName {
  if (of.digest === undefined) return withTag(of, of.tag ?? DEFAULT_TAG)
  throw new BaleError('INVALID_REFERENCE', `refusing to create a tag with a digest reference: ${familiarName(of)}`)
}

/** Adds `latest` when there is neither tag nor digest. */
export function withDefaultTag(of: Reference): Reference {
  return of.tag === undefined && of.digest === undefined ? withTag(of, DEFAULT_TAG) : of
}

function reference({ registry, repository, tag, digest }: Reference): Reference {
  return Object.freeze({
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  })
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`)
}

/** Name, tag and digest as written. A colon after the last slash begins the tag. */
function cut(text: string): { name: string; tag?: string; digest?: string } {
  const at = text.indexOf('@')
  const named = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? undefined : text.slice(at + 1)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  if (colon < 0) return { name: named, digest }
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), digest }
}

function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  if (!looksLikeRegistry(first)) return official(DEFAULT_REGISTRY, name)
  // Host names have no case: one registry, one spelling.
  return official(first.toLowerCase(), name.slice(slash + 1))
}

function looksLikeRegistry(first: string): boolean {
  return /[.:]/.test(first) || first.toLowerCase() === 'localhost'
}

function official(host: string, path: string): { registry: string; path: string } {
  const registry = host === 'index.docker.io' ? DEFAULT_REGISTRY : host
  if (registry !== DEFAULT_REGISTRY || path === '' || path.includes('/')) return { registry, path }
  return { registry, path: OFFICIAL + path }
}

function checkTag(tag: string, text: string): void {
  if (!TAG.test(tag)) throw invalid(text, 'invalid reference format', TAG_HINT)
}

const NAME_HINT =
  'a name is [registry/]repository[:tag][@digest] in lower case, for example localhost:5000/team/web:1.0'
const TAG_HINT = 'a tag has at most 128 letters, digits, dots, dashes and underscores, and does not begin with . or -'
const DIGEST_HINT = 'a digest is sha256: and 64 lower-case hexadecimal digits, or sha512: and 128'

function invalid(text: string, message: string, hint: string = NAME_HINT): BaleError {
  const about = message.includes(text) && text !== '' ? message : `${message}: "${printable(text, 300)}"`
  return new BaleError('INVALID_REFERENCE', about, { hint: printable(hint, 400), details: { reference: text } })
}
