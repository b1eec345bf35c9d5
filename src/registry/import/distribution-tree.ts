import { BaleError, errnoOf, printable } from '#base'
import { algorithmOf, type Digest, hexOf, isDigest, isRepository, isTag } from '#spec'
import { ifThere, openTree, type TreeDirectory, type TreeFile } from './tree-directory.ts'
import { Unusable } from './unusable.ts'

/**
 * The files of distribution (Debian: docker-registry) as its storage driver `filesystem` has them. Names and links are
 * checked before they are used; what is wrong with them is Unusable or, where many are listed, told.
 * Source: distribution, registry/storage/paths.go.
 */
export interface DistributionTree extends AsyncDisposable {
  repositories(tell: Tell): AsyncGenerator<TreeRepository>
  /** The bytes that are stored for a digest; nobody has hashed them. The caller closes them. */
  openBlob(digest: Digest): Promise<TreeFile>
}

type Kind = keyof typeof KINDS

export interface TreeRepository {
  name: string
  /** Its blobs, or its manifests and indexes, tagged or not. */
  linked(kind: Kind, tell: Tell): Promise<Digest[]>
  tags(tell: Tell): AsyncGenerator<{ tag: string; digest: Digest }>
  /** Under which digest the bytes are stored: its own, or one of another algorithm. Unusable when it is not linked. */
  storedAs(kind: Kind, digest: Digest): Promise<Digest>
}

/** Told of what the tree has and nobody can use: `team/web:1.0`, and why. */
export type Tell = (thing: string, reason: string) => void

/** Opens the directory that distribution's configuration calls `rootdirectory`. INVALID_ARGUMENT when it is none. */
export async function openDistributionTree(path: string): Promise<DistributionTree> {
  await using opened = new AsyncDisposableStack()
  const root = opened.use(await openRoot(path))
  const blobs = opened.use(await root.directoryIfThere('blobs'))
  const repositories = opened.use(await root.directoryIfThere('repositories'))
  const parts = opened.move()
  return {
    async *repositories(tell) {
      if (repositories) yield* repositoriesBelow(repositories, '', tell)
    },
    async openBlob(digest) {
      const hex = hexOf(digest)
      await using place = await blobs?.directoryIfThere(algorithmOf(digest), hex.slice(0, 2), hex)
      if (!place) throw new Unusable('its bytes are missing')
      return await place.file('data')
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

async function openRoot(path: string): Promise<TreeDirectory> {
  try {
    await using directory = await openTree(path)
    const root = await directory.directoryIfThere('docker', 'registry', 'v2')
    if (root) return root
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error
  }
  throw new BaleError('INVALID_ARGUMENT', `${path} has no docker/registry/v2: a docker-registry keeps nothing there`, {
    hint: "the directory is called storage.filesystem.rootdirectory in that registry's configuration",
  })
}

/** Directories that begin with `_` are a repository's own; the others are parts of names. Names end, so the depth does. */
async function* repositoriesBelow(directory: TreeDirectory, path: string, tell: Tell): AsyncGenerator<TreeRepository> {
  const names = (await unlessUnusable(() => directory.names(), path, tell)) ?? []
  const isOne = path !== '' && (names.includes('_manifests') || names.includes('_layers'))
  if (isOne) yield repositoryIn({ name: path, directory })
  for (const name of names) {
    if (name.startsWith('_')) continue
    const below = path === '' ? name : `${path}/${name}`
    if (!isRepository(below)) {
      tell(printable(below, 300), 'not the name of a repository')
      continue
    }
    const inner = await unlessUnusable(() => directory.directory(name), below, tell)
    if (!inner) continue
    await using _ = inner
    yield* repositoriesBelow(inner, below, tell)
  }
}

interface Place {
  name: string
  directory: TreeDirectory
}

const KINDS = { blob: ['_layers'], manifest: ['_manifests', 'revisions'] } as const

function repositoryIn({ name, directory }: Place): TreeRepository {
  return {
    name,
    linked: (kind, tell) => linkedIn({ name, directory }, KINDS[kind], tell),
    async *tags(tell) {
      await using tags = await directory.directoryIfThere('_manifests', 'tags')
      for (const tag of (await tags?.names()) ?? []) {
        const thing = `${name}:${printable(tag, 160)}`
        if (!isTag(tag)) tell(thing, 'not a tag')
        else {
          const digest = await unlessUnusable(() => readLink(tags!, [tag, 'current']), thing, tell)
          if (digest !== undefined) yield { tag, digest }
        }
      }
    },
    async storedAs(kind, digest) {
      const stored = await readLink(directory, [...KINDS[kind], algorithmOf(digest), hexOf(digest)])
      if (stored === digest || algorithmOf(stored) !== algorithmOf(digest)) return stored
      throw new Unusable(`its link names ${stored}`)
    },
  }
}

/** Of what is linked at `<algorithm>/<hex>/link` in a directory. What was deleted leaves a directory without a link. */
async function linkedIn({ name, directory }: Place, path: readonly string[], tell: Tell): Promise<Digest[]> {
  await using links = await directory.directoryIfThere(...path)
  const digests: Digest[] = []
  for (const algorithm of (await links?.names()) ?? []) {
    const thing = [name, ...path, printable(algorithm, 80)].join('/')
    await using named = await unlessUnusable(() => links!.directory(algorithm), thing, tell)
    for (const hex of (await named?.names()) ?? []) {
      const digest = `${algorithm}:${hex}`
      if (!isDigest(digest)) tell(`${thing}/${printable(hex, 160)}`, 'not a digest')
      else if (await unlessUnusable(() => isLinked(named!, hex), `${name}@${digest}`, tell)) digests.push(digest)
    }
  }
  return digests
}

async function isLinked(directory: TreeDirectory, hex: string): Promise<boolean> {
  await using place = await directory.directory(hex)
  return (await place.names()).includes('link')
}

/** A digest, and nothing else: that of sha512 has 135 characters. */
const LINK_LIMIT = 160

async function readLink(directory: TreeDirectory, path: readonly string[]): Promise<Digest> {
  await using place = await directory.directoryIfThere(...path)
  await using file = place && (await ifThere(() => place.file('link')))
  if (!file) throw new Unusable('not linked in the repository')
  const digest = Buffer.from(await file.bytes(LINK_LIMIT)).toString('latin1')
  if (isDigest(digest)) return digest
  throw new Unusable(`its link is no digest: "${printable(digest, 160)}"`)
}

async function unlessUnusable<T>(work: () => Promise<T>, thing: string, tell: Tell): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    tell(thing, error.message)
    return undefined
  }
}
