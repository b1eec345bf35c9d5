import { BaleError, isUrl } from '#base'
import type { PieceEntry } from '#format/tar'
import type { Digest } from '#spec'
import { cacheKey, chainId } from '../cache/index.ts'
import { cleanPath, fromText, joinPath, openSourceTree, type SourceTree } from '../context/index.ts'
import {
  ContentHasher,
  contentDigest,
  createLayerDraft,
  type DraftEntry,
  firstItem,
  hasOneItem,
  inlineFile,
  isArchive,
  type PlaceOptions,
  place,
  prepareDestination,
  resolveOwner,
  type Selection,
  selectSources,
  unpack,
} from '../copy/index.ts'
import { inWord } from '../dockerfile/index.ts'
import type { Files, OpenFiles, Step, StepOf } from '../graph/index.ts'
import { type CopyDefinition, parseChmod } from '../instructions/index.ts'
import { addedUrl } from './added-url.ts'
import { hashing } from './hashing.ts'
import type { StepContext } from './step-context.ts'
import { writeInPieces } from './write-in-pieces.ts'

/** COPY and ADD: the files are chosen and hashed for the cache, and on a miss streamed into the layer in one pass. */
export async function copyRunner(
  context: StepContext,
  { definition }: StepOf<'copy'>,
  [below, source]: readonly Files[],
): Promise<Step> {
  const { signal } = context
  const layers = below!.layers!
  const sources = new CopySources(context, definition, source!)
  const onto = async () => {
    if (!definition.link) return { chain: chainId(layers) }
    return inStage(context, layers, (tree) => ({
      owner: definition.chown === undefined ? undefined : resolveOwner(definition.chown, tree),
      parents: [...existingDirectories(tree, definition.destination.path)].map(([path, { mode, uid, gid }]) => [
        path,
        mode,
        uid,
        gid,
      ]),
    }))
  }
  const described = async () => ({ ...describe(definition, context.epoch), ...(await onto()) })
  const contentKey = async (digest: string) =>
    cacheKey('copy', { ...(await described()), content: digest, times: sources.times })

  const keys: Step['keys'][number][] = []
  const known = knownContent(definition, source!)
  if (known) keys.push(async () => cacheKey('copy-from', { ...(await described()), ...known }))
  keys.push(async () => contentKey(await contentDigest(await sources.selections(), { signal })))

  return {
    keys,
    mark: async () => cacheKey('copy-mark', await described()),
    async execute() {
      const { diffId, digest } = await writeLayer(context, layers, definition, await sources.selections())
      const cheap = known ? [await keys[0]!()] : []
      return { diffId, keys: [...cheap, await contentKey(digest)] }
    },
    close: () => sources.close(),
  }
}

/** Opens the sources once, when the first key that needs them is computed. */
class CopySources {
  readonly #context: StepContext
  readonly #definition: CopyDefinition
  readonly #source: Files
  #opened: OpenFiles | undefined
  #selections: Promise<Selection[]> | undefined
  /** Last-Modified of fetched files. */
  readonly times: (number | undefined)[] = []

  constructor(context: StepContext, definition: CopyDefinition, source: Files) {
    this.#context = context
    this.#definition = definition
    this.#source = source
  }

  selections(): Promise<Selection[]> {
    this.#selections ??= this.#select()
    return this.#selections
  }

  async close(): Promise<void> {
    await this.#opened?.[Symbol.asyncDispose]()
    this.#opened = undefined
  }

  async #select(): Promise<Selection[]> {
    const { kind, sources, files, excludes, checksum, parents } = this.#definition
    const { session } = this.#context
    const selections: Selection[] = []
    for (const source of sources) {
      if (kind === 'ADD' && isUrl(source)) {
        const added = await addedUrl(this.#context, source, checksum)
        this.times.push(firstItem(added)!.entry.mtime)
        selections.push(added)
        continue
      }
      this.#opened ??= await this.#source.open()
      const { tree } = this.#opened
      selections.push(...inWord(source, () => selectSources(tree, source, { excludes, parents })))
    }
    const now = Math.floor(session.machine.clock.now() / 1000)
    return [...selections, ...files.map(({ name, content }) => inlineFile(name, content, now))]
  }
}

function describe(definition: CopyDefinition, epoch: number | undefined) {
  const { kind, link, parents, unpack: unpacked } = definition
  const { sources, files, destination, chown, chmod, excludes, checksum } = definition
  return { kind, link, parents, unpacked, sources, files, destination, chown, chmod, excludes, checksum, epoch }
}

/** What identifies the content without reading it: the layers of a stage or image, or the checksum of the one URL. */
function knownContent({ isFrom, sources, checksum }: CopyDefinition, source: Files): object | undefined {
  if (checksum !== undefined) return { checksum }
  if (!isFrom || !source.layers || sources.some(isUrl)) return undefined
  return { from: chainId(source.layers) }
}

async function inStage<T>(
  { session, signal }: StepContext,
  layers: readonly Digest[],
  look: (tree?: SourceTree) => T,
): Promise<T> {
  if (layers.length === 0) return look(undefined)
  await using mounted = await session.mount(layers, { signal })
  using tree = openSourceTree(mounted.path, { label: 'the stage' })
  return look(tree)
}

/** The directories on the way to a path, as far as they exist; `--link` does not go through links. */
function existingDirectories(tree: SourceTree | undefined, destination: string): Map<string, DraftEntry> {
  const found = new Map<string, DraftEntry>()
  let path = ''
  for (const part of tree ? cleanPath(fromText(destination)).split('/') : []) {
    path = joinPath(path, part)
    const entry = tree!.entry(path)
    if (entry?.type !== 'directory') break
    found.set(path, entry)
  }
  return found
}

/** `digest` is of what was written, should a file have changed since it was hashed for the key. */
async function writeLayer(
  context: StepContext,
  layers: readonly Digest[],
  definition: CopyDefinition,
  selections: readonly Selection[],
): Promise<{ diffId: Digest; digest: string }> {
  const { session, signal, epoch } = context
  const { clock } = session.machine
  await using mounted = layers.length > 0 ? await session.mount(layers, { signal }) : undefined
  using tree = mounted && openSourceTree(mounted.path, { label: 'the stage' })
  const content = new ContentHasher()
  const options: PlaceOptions = {
    owner: definition.chown === undefined ? undefined : resolveOwner(definition.chown, tree),
    chmod: definition.chmod === undefined ? undefined : parseChmod(definition.chmod),
    read: (item) => () => hashing(item, (digest) => content.wrote(digest)),
  }
  const { link, destination } = definition
  const existing = link ? existingDirectories(tree, destination.path) : undefined
  const lower = link ? undefined : tree
  const draft = createLayerDraft({ lower, existing, latestTime: epoch, now: Math.floor(clock.now() / 1000) })
  const groups = async function* (): AsyncGenerator<Iterable<PieceEntry> | AsyncIterable<PieceEntry>> {
    // A pattern without matches creates nothing, not even a directory.
    if (selections.length === 0) return
    const { directories, target } = prepareDestination(draft, destination, options)
    yield directories
    checkDestination(definition, selections, target === '' || draft.entry(target)?.type === 'directory')
    for (const [index, selection] of selections.entries()) {
      signal.throwIfAborted()
      const archive = mayUnpack(definition, selection) ? firstItem(selection) : undefined
      if (archive && (await isArchive(archive))) {
        yield unpack(draft, archive, target, options)
        await content.add(selection, { signal })
      } else {
        const isLast = index === selections.length - 1
        yield place(draft, content.following(selection), target, { ...options, isLast })
      }
    }
  }
  return { diffId: await writeInPieces(context, groups()), digest: content.digest() }
}

/** Several files cannot all become one file. */
function checkDestination(
  { kind, destination }: CopyDefinition,
  selections: readonly Selection[],
  isDirectory: boolean,
): void {
  if (destination.isDirectory || isDirectory || selections.length < 2) return
  if (selections.every((selection) => firstItem(selection)?.entry.type === 'directory')) return
  throw new BaleError(
    'BUILD_FAILED',
    `when using ${kind} with more than one source file, the destination must be a directory and end with a /`,
  )
}

function mayUnpack({ kind, unpack: wanted }: CopyDefinition, selection: Selection): boolean {
  return kind === 'ADD' && (wanted ?? !selection.isRemote) && hasOneItem(selection)
}
