import { lstat, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { BaleError, errnoOf, type OperationOptions, printable, readAll } from '#base'
import { DETECTION_BYTES, decompressAny, detectCompression } from '#format/compression'
import { readText } from '#host/file'
import type { BuildSession } from '../session/index.ts'
import { cleanPath, fromText } from './byte-path.ts'
import { parseIgnoreFile } from './pattern-set.ts'
import { openSourceTree, type SourceTree } from './source-tree.ts'

/** Where the files of a build come from. */
export type ContextInput =
  | { kind: 'directory'; path: string }
  /** A tar (plain or compressed), or the text of a Dockerfile. */
  | { kind: 'stream'; stream: AsyncIterable<Uint8Array> }
  | { kind: 'url'; url: string }

/** Which Dockerfile: a path on the host (directories) or in the context (tars), or its text. */
export type DockerfileInput = { kind: 'path'; path: string } | { kind: 'text'; text: string; name: string }

export interface OpenContext extends AsyncDisposable {
  tree: SourceTree
  /** Patterns of its .dockerignore. */
  ignore: readonly string[]
  dockerfile: { name: string; text: string }
}

/** Dockerfiles and .dockerignore files are small; anything larger is refused. */
const TEXT_LIMIT = 4 << 20
const DEFAULT_NAMES = ['Dockerfile', 'dockerfile']

/** Opens the context and finds its Dockerfile. A file that .dockerignore excludes is still read as the Dockerfile. */
export async function openContext(
  session: BuildSession,
  input: ContextInput,
  dockerfile: DockerfileInput | undefined,
  options: OperationOptions,
): Promise<OpenContext> {
  if (input.kind === 'directory') return openDirectory(session, input.path, dockerfile)
  const stream = input.kind === 'url' ? (await session.machine.fetchUrl(input.url, options)).body : input.stream
  const { first, whole } = await peek(stream)
  if (!looksLikeTar(first)) {
    if (dockerfile)
      throw new BaleError('INVALID_ARGUMENT', 'the context is not a tar, and a Dockerfile was given as well')
    const text = await readStream(whole, 'the Dockerfile')
    const found = { name: 'Dockerfile', text }
    return { tree: emptyTree(), ignore: [], dockerfile: found, [Symbol.asyncDispose]: async () => undefined }
  }
  return openTar(session, whole, dockerfile, options)
}

async function openDirectory(
  session: BuildSession,
  path: string,
  dockerfile: DockerfileInput | undefined,
): Promise<OpenContext> {
  const directory = resolve(path)
  await checkDirectory(directory)
  using plain = openSourceTree(directory, { label: 'the build context', ownedByRoot: true })
  const found = await readDirectoryDockerfile(plain, dockerfile, directory)
  const ignore = parseIgnoreFile(found.ignore ?? readTreeFile(plain, '.dockerignore') ?? '')
  const remember = rememberedIn(session)
  const tree = openSourceTree(directory, { label: 'the build context', ownedByRoot: true, ignore, remember })
  return { tree, ignore, dockerfile: found, [Symbol.asyncDispose]: () => closeTree(tree) }
}

function rememberedIn({ machine }: BuildSession) {
  return { storeRoot: machine.store.root, clock: machine.clock }
}

export async function closeTree(tree: SourceTree): Promise<void> {
  using _tree = tree
  await tree.save()
}

/** A directory given with --build-context: with its own .dockerignore. */
export async function openNamedDirectory(session: BuildSession, label: string, path: string): Promise<SourceTree> {
  const directory = resolve(path)
  await checkDirectory(directory)
  using plain = openSourceTree(directory, { label, ownedByRoot: true })
  const ignore = parseIgnoreFile(readTreeFile(plain, '.dockerignore') ?? '')
  return openSourceTree(directory, { label, ownedByRoot: true, ignore, remember: rememberedIn(session) })
}

/** The tar becomes an unnamed layer and is mounted: nothing is extracted, and it is judged like any layer. */
async function openTar(
  session: BuildSession,
  tar: AsyncIterable<Uint8Array>,
  dockerfile: DockerfileInput | undefined,
  options: OperationOptions,
): Promise<OpenContext> {
  const mounted = await mountTar(session, tar, options)
  try {
    using plain = openSourceTree(mounted.path, { label: 'the build context' })
    const found = readTreeDockerfile(plain, dockerfile)
    const ignore = parseIgnoreFile(found.ignore ?? readTreeFile(plain, '.dockerignore') ?? '')
    const tree = openSourceTree(mounted.path, { label: 'the build context', ignore })
    return {
      tree,
      ignore,
      dockerfile: found,
      async [Symbol.asyncDispose]() {
        tree[Symbol.dispose]()
        await mounted[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await mounted[Symbol.asyncDispose]()
    throw error
  }
}

export async function mountTar(session: BuildSession, tar: AsyncIterable<Uint8Array>, options: OperationOptions) {
  const diffId = await session.temporaryLayer(() => decompressAny(tar, options), options)
  return session.mount([diffId], options)
}

async function checkDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new BaleError(
      'PATH_NOT_FOUND',
      `unable to prepare context: path ${JSON.stringify(printable(directory))} not found`,
    )
  })
  if (found.isDirectory()) return
  throw new BaleError('INVALID_ARGUMENT', `unable to prepare context: ${printable(directory)} is not a directory`, {
    next: { act: 'build-from-stdin', file: directory },
  })
}

interface FoundDockerfile {
  name: string
  text: string
  /** Text of `<Dockerfile>.dockerignore`. */
  ignore?: string
}

async function readDirectoryDockerfile(
  tree: SourceTree,
  dockerfile: DockerfileInput | undefined,
  directory: string,
): Promise<FoundDockerfile> {
  if (dockerfile?.kind === 'text') return dockerfile
  if (!dockerfile) return defaultDockerfile(tree, directory)
  // The user named this file: it may be anywhere.
  const text = await readHostFile(dockerfile.path)
  if (text === undefined) throw notFound(dockerfile.path)
  return { name: dockerfile.path, text, ignore: await readHostFile(`${dockerfile.path}.dockerignore`) }
}

function readTreeDockerfile(tree: SourceTree, dockerfile: DockerfileInput | undefined): FoundDockerfile {
  if (dockerfile?.kind === 'text') return dockerfile
  if (!dockerfile) return defaultDockerfile(tree, 'the context')
  const text = readTreeFile(tree, dockerfile.path)
  if (text === undefined) throw notFound(dockerfile.path)
  return { name: dockerfile.path, text, ignore: readTreeFile(tree, `${dockerfile.path}.dockerignore`) }
}

function defaultDockerfile(tree: SourceTree, place: string): FoundDockerfile {
  for (const name of DEFAULT_NAMES) {
    const text = readTreeFile(tree, name)
    if (text !== undefined) return { name, text, ignore: readTreeFile(tree, `${name}.dockerignore`) }
  }
  throw new BaleError('PATH_NOT_FOUND', `failed to read dockerfile: no Dockerfile in ${printable(place)}`, {
    next: { act: 'name-dockerfile' },
  })
}

/** A regular file inside the tree; a link that leads out of it finds nothing (B07). */
function readTreeFile(tree: SourceTree, path: string): string | undefined {
  const resolved = tree.follow(cleanPath(fromText(path)))
  const entry = resolved === undefined ? undefined : tree.entry(resolved)
  if (resolved === undefined || entry?.type !== 'file') return undefined
  if (entry.size > TEXT_LIMIT) throw tooLarge(path)
  return Buffer.concat([...tree.read(resolved, entry)]).toString('utf8')
}

async function readHostFile(path: string): Promise<string | undefined> {
  try {
    const found = await lstat(path)
    if (found.isFile() && found.size > TEXT_LIMIT) throw tooLarge(path)
    return await readText(path, { limit: TEXT_LIMIT })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    if (errnoOf(error) === 'EISDIR')
      throw new BaleError('INVALID_ARGUMENT', `${printable(path)} is a directory, not a Dockerfile`)
    throw error
  }
}

async function readStream(stream: AsyncIterable<Uint8Array>, what: string): Promise<string> {
  return Buffer.from(await readAll(stream, { limit: TEXT_LIMIT, what })).toString('utf8')
}

async function peek(stream: AsyncIterable<Uint8Array>): Promise<{ first: Buffer; whole: AsyncIterable<Uint8Array> }> {
  const iterator = stream[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let size = 0
  while (size < 512) {
    const { done, value } = await iterator.next()
    if (done) break
    chunks.push(Buffer.from(value))
    size += value.length
  }
  const whole = async function* () {
    try {
      yield* chunks
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  return { first: Buffer.concat(chunks).subarray(0, 512), whole: whole() }
}

/** A compressed stream, or a block whose checksum is that of a tar header. */
function looksLikeTar(first: Buffer): boolean {
  if (detectCompression(first.subarray(0, DETECTION_BYTES)) !== 'none') return true
  if (first.length < 512) return false
  const stored = Number.parseInt(first.toString('latin1', 148, 156).replace(/[^0-7]/g, '') || 'x', 8)
  let sum = 8 * 0x20
  for (const [index, byte] of first.entries()) if (index < 148 || index >= 156) sum += byte
  return stored === sum
}

function emptyTree(): SourceTree {
  return {
    label: 'the build context (none: only a Dockerfile was given)',
    entry: () => undefined,
    follow: (path) => (cleanPath(path) === '' ? '' : undefined),
    list: () => [],
    read: () => [],
    readAtOnce: () => undefined,
    open: () => undefined,
    remember: () => undefined,
    save: async () => undefined,
    isIgnored: () => false,
    [Symbol.dispose]: () => undefined,
  }
}

function notFound(path: string): BaleError {
  return new BaleError(
    'PATH_NOT_FOUND',
    `failed to read dockerfile: open ${printable(path)}: no such file or directory`,
  )
}

function tooLarge(what: string): BaleError {
  return new BaleError('LIMIT_EXCEEDED', `${printable(what)} is larger than 4 MiB`)
}
