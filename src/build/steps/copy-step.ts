import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { BaleError } from '#base'
import { type PackedEntry, packTar } from '#format/tar'
import { expanded } from '../apply-metadata.ts'
import { guarded, lookIn } from '../build-arguments.ts'
import type { BuildRun, LayerStep, OpenSource, StepSource } from '../build-run.ts'
import { cacheKey, chainId } from '../cache-key.ts'
import { cleanPath, fromText, joinPath } from '../context/byte-path.ts'
import { openSourceTree, type SourceTree } from '../context/source-tree.ts'
import { contentDigest } from '../copy/content-digest.ts'
import { parseChmod } from '../copy/file-mode.ts'
import { createLayerDraft, type DraftEntry } from '../copy/layer-draft.ts'
import { resolveOwner } from '../copy/owner.ts'
import { type Destination, type PlaceOptions, place, prepareDestination } from '../copy/place.ts'
import { type SelectedItem, type Selection, selectSources } from '../copy/selection.ts'
import { isArchive, unpack } from '../copy/unpack.ts'
import { type CopyCommand, expandWord, heredocContent } from '../dockerfile/index.ts'
import type { StageState } from '../stage-state.ts'
import type { Stage } from '../stages.ts'
import { addedUrl, isUrl, refuseGit, shownSource } from './added-url.ts'
import { inlineFile } from './inline-file.ts'
import { stepTitle } from './title.ts'

/** A COPY or ADD with all variables filled in. */
interface CopyPlan {
  command: CopyCommand
  sources: string[]
  /** Heredocs. */
  files: { name: string; content: string }[]
  destination: Destination
  /** The destination as in the instruction. */
  written: string
  chown: string | undefined
  chmod: string | undefined
  excludes: string[]
  checksum: string | undefined
}

/** COPY and ADD: the files are chosen and hashed for the cache, and on a miss streamed into the layer in one pass. */
export async function copyStep(
  run: BuildRun,
  stage: Stage,
  state: StageState,
  command: CopyCommand,
): Promise<LayerStep> {
  const plan = planCopy(state, command)
  const layers = [...state.diffIds]
  const source = await run.source(command.from, stage)
  const stack = new CopySources(run, plan, source)
  const onto = async () => {
    if (!command.link) return { chain: chainId(layers) }
    return inStage(run, layers, (tree) => ({
      owner: plan.chown === undefined ? undefined : resolveOwner(plan.chown, tree),
      parents: [...existingDirectories(tree, plan.destination.path)].map(([path, { mode, uid, gid }]) => [
        path,
        mode,
        uid,
        gid,
      ]),
    }))
  }
  const definition = async () => ({ ...describe(plan, run.epoch), ...(await onto()) })
  const contentKey = async (digest: string) =>
    cacheKey('copy', { ...(await definition()), content: digest, times: stack.times })

  const keys: LayerStep['keys'][number][] = []
  const known = knownContent(plan, source)
  if (known) keys.push(async () => cacheKey('copy-from', { ...(await definition()), ...known }))
  keys.push(async () => contentKey(await contentDigest(await stack.selections())))

  return {
    title: stepTitle(command.instruction, state),
    createdBy: `${createdBy(plan)} # buildkit`,
    keys,
    mark: async () => cacheKey('copy-mark', await definition()),
    async execute() {
      const digests = new Map<SelectedItem, string>()
      const read = (item: SelectedItem) => () => hashing(item, digests)
      const selections = await stack.selections()
      const diffId = await writeLayer(run, layers, plan, selections, read)
      // What counts is what was written, should a file have changed since it was hashed.
      const digest = await contentDigest(selections, async (item) => digests.get(item) ?? hashed(item))
      const cheap = known ? [await keys[0]!()] : []
      return { diffId, keys: [...cheap, await contentKey(digest)] }
    },
    close: () => stack.close(),
  }
}

/** Opens the sources once, when the first key that needs them is asked for. */
class CopySources {
  readonly #run: BuildRun
  readonly #plan: CopyPlan
  readonly #source: StepSource
  #opened: OpenSource | undefined
  #selections: Promise<Selection[]> | undefined
  /** Last-Modified of fetched files. */
  readonly times: (number | undefined)[] = []

  constructor(run: BuildRun, plan: CopyPlan, source: StepSource) {
    this.#run = run
    this.#plan = plan
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
    const { command, sources, files, excludes, checksum } = this.#plan
    const { signal } = this.#run
    const selections: Selection[] = []
    for (const source of sources) {
      if (command.kind === 'ADD' && isUrl(source)) {
        const added = await addedUrl(this.#run, source, checksum)
        this.times.push(added.items[0]!.entry.mtime)
        selections.push(added)
        continue
      }
      this.#opened ??= await this.#source.open()
      const options = { excludes, parents: command.parents, signal }
      selections.push(...guarded(command.instruction, () => selectSources(this.#opened!.tree, source, options)))
    }
    const now = Math.floor(this.#run.session.machine.clock.now() / 1000)
    return [...selections, ...files.map(({ name, content }) => inlineFile(name, content, now))]
  }
}

function planCopy(state: StageState, command: CopyCommand): CopyPlan {
  const { instruction, kind } = command
  const fill = (text: string) => expanded(state, instruction, text)
  const destination = fill(command.destination)
  const plan: CopyPlan = {
    command,
    sources: command.sources.map(fill),
    files: command.files.map((heredoc) => {
      const content = heredocContent(heredoc)
      const text = () => expandWord(content, lookIn(state.variables), { escape: '\\', ignoreQuotes: true }).text
      return { name: heredoc.name, content: heredoc.expand ? guarded(instruction, text) : content }
    }),
    destination: {
      path: posix.resolve('/', state.config.WorkingDir ?? '/', destination),
      isDirectory: /(?:^|\/)\.{0,2}$/.test(destination),
    },
    written: destination,
    chown: command.chown === undefined ? undefined : fill(command.chown),
    chmod: command.chmod === undefined ? undefined : fill(command.chmod),
    excludes: command.excludes.map(fill),
    checksum: command.checksum === undefined ? undefined : fill(command.checksum),
  }
  guarded(instruction, () => {
    for (const source of plan.sources) {
      refuseGit(source)
      if (kind === 'COPY' && isUrl(source)) throw new Error("source can't be a URL for COPY")
    }
    if (plan.chmod !== undefined) parseChmod(plan.chmod)
  })
  return plan
}

function createdBy({ command, sources, files, written, chown, chmod }: CopyPlan): string {
  return [
    command.kind,
    ...(command.parents ? ['--parents'] : []),
    ...(chown ? [`--chown=${chown}`] : []),
    ...(chmod ? [`--chmod=${chmod}`] : []),
    ...sources.map(shownSource),
    ...files.map(({ name }) => `<<${name}`),
    written,
  ].join(' ')
}

function describe(plan: CopyPlan, epoch: number | undefined) {
  const { command, sources, files, destination, chown, chmod, excludes, checksum } = plan
  const { kind, link, parents, unpack: unpacked } = command
  return { kind, link, parents, unpacked, sources, files, destination, chown, chmod, excludes, checksum, epoch }
}

/** What tells the content without a look at it: the layers of a stage or image, or the checksum of the one URL. */
function knownContent({ command, sources, checksum }: CopyPlan, source: StepSource): object | undefined {
  if (checksum !== undefined) return { checksum }
  if (command.from === undefined || !source.layers || sources.some(isUrl)) return undefined
  return { from: chainId(source.layers) }
}

async function inStage<T>(run: BuildRun, layers: StageState['diffIds'], look: (tree?: SourceTree) => T): Promise<T> {
  if (layers.length === 0) return look(undefined)
  await using mounted = await run.session.mount(layers, { signal: run.signal })
  using tree = openSourceTree(mounted.path, { label: 'the stage' })
  return look(tree)
}

/** The directories on the way to a path, as far as they are there; `--link` does not go through links. */
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

async function writeLayer(
  run: BuildRun,
  layers: StageState['diffIds'],
  plan: CopyPlan,
  selections: readonly Selection[],
  read: NonNullable<PlaceOptions['read']>,
) {
  const { session, signal, epoch } = run
  const { clock, store } = session.machine
  await using mounted = layers.length > 0 ? await session.mount(layers, { signal }) : undefined
  using tree = mounted && openSourceTree(mounted.path, { label: 'the stage' })
  const options: PlaceOptions = {
    owner: plan.chown === undefined ? undefined : resolveOwner(plan.chown, tree),
    chmod: plan.chmod === undefined ? undefined : parseChmod(plan.chmod),
    read,
  }
  const { link } = plan.command
  const existing = link ? existingDirectories(tree, plan.destination.path) : undefined
  const lower = link ? undefined : tree
  const draft = createLayerDraft({ lower, existing, latestTime: epoch, now: Math.floor(clock.now() / 1000) })
  const entries = async function* (): AsyncGenerator<PackedEntry> {
    // A pattern that fits nothing asks for nothing, not for a directory either.
    if (selections.length === 0) return
    const target = yield* prepareDestination(draft, plan.destination, options)
    checkDestination(plan, selections, target === '' || draft.entry(target)?.type === 'directory')
    for (const selection of selections) {
      signal.throwIfAborted()
      const first = selection.items[0]
      if (first && mayUnpack(plan, selection) && (await isArchive(first))) yield* unpack(draft, first, target, options)
      else yield* place(draft, selection, target, options)
    }
  }
  const layer = await store.layers.write(packTar(entries()), { signal })
  return layer.diffId
}

/** Several files cannot all become one file. */
function checkDestination(
  { command, destination }: CopyPlan,
  selections: readonly Selection[],
  isDirectory: boolean,
): void {
  if (destination.isDirectory || isDirectory || selections.length < 2) return
  if (selections.every(({ items }) => items[0]?.entry.type === 'directory')) return
  throw new BaleError(
    'BUILD_FAILED',
    `when using ${command.kind} with more than one source file, the destination must be a directory and end with a /`,
  )
}

function mayUnpack({ command }: CopyPlan, selection: Selection): boolean {
  if (command.kind !== 'ADD' || selection.items.length !== 1) return false
  return command.unpack ?? !selection.isRemote
}

async function* hashing(item: SelectedItem, digests: Map<SelectedItem, string>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of item.read()) {
    hash.update(chunk)
    yield chunk
  }
  digests.set(item, hash.digest('hex'))
}

async function hashed(item: SelectedItem): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of item.read()) hash.update(chunk)
  return hash.digest('hex')
}
