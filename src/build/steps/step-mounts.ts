import { chmod, chown, stat, writeFile } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { BaleError, printable } from '#base'
import type { StepMount } from '#container'
import { packTarInPieces } from '#format/tar'
import { runProgram } from '#host'
import { chainId } from '../cache/index.ts'
import { cleanPath, fromText, openSourceTree, toText } from '../context/index.ts'
import { contentDigest, createLayerDraft, place, selectSources } from '../copy/index.ts'
import type { Files } from '../graph/index.ts'
import { type MountOption, type RunMount, secretId } from '../instructions/index.ts'
import type { CacheRequest } from './cache-mounts.ts'
import type { StepContext } from './step-context.ts'

/** A mount of a RUN, with what the cache must know of it. */
export interface PreparedMount {
  /** Part of the step's key: contents of binds, never secrets, never the contents of caches (B09). */
  definition: object
  /** Of a cache: what is claimed for it before any mount of the step is opened. */
  cache?: CacheRequest
  /**
   * Makes it; `stack` undoes it when the step has ended. `directory` is what was claimed. Several for one: none, when an
   * optional secret is missing.
   */
  open(stack: AsyncDisposableStack, directory?: string): Promise<{ mounts: StepMount[]; env?: string[] }>
}

/** `source`: the files of a bind, or those that a cache begins with. */
export async function prepareMount(
  run: StepContext,
  { option }: RunMount,
  source: Files | undefined,
  workingDirectory: string,
): Promise<PreparedMount> {
  const target = posix.resolve(workingDirectory, option.target ?? '')
  switch (option.type) {
    case 'bind':
      return prepareBind(run, source!, option, target)
    case 'cache':
      return prepareCache(run, source, option, target)
    case 'tmpfs': {
      const options = ['mode=1777', ...(option.size === undefined ? [] : [`size=${option.size}`])]
      const mount: StepMount = { type: 'tmpfs', target, options }
      return { definition: { type: 'tmpfs', target, size: option.size }, open: async () => ({ mounts: [mount] }) }
    }
    case 'secret':
      return prepareSecret(run, option, workingDirectory)
    case 'ssh':
      return prepareSsh(option)
  }
}

/** Read-only binds count by their content; what is written to a writable one is thrown away. */
async function prepareBind(
  run: StepContext,
  source: Files,
  option: MountOption,
  target: string,
): Promise<PreparedMount> {
  const path = cleanPath(fromText(option.source ?? ''))
  return {
    definition: { type: 'bind', target, readOnly: option.readOnly, ...(await contentOf(run, source, path)) },
    async open(stack) {
      const found = await mountSource(run, source, path, { writable: !option.readOnly }, stack)
      return { mounts: [{ type: 'bind', source: found, target, readOnly: option.readOnly }] }
    },
  }
}

/** Identifies the files at a path of a source: its layers, otherwise a digest of them. */
async function contentOf(run: StepContext, source: Files, path: string): Promise<object> {
  return source.layers ? { from: chainId(source.layers), path } : { content: await bindDigest(run, source, path) }
}

/** Mounts a source until `stack` is disposed; returns the path on the host. */
async function mountSource(
  run: StepContext,
  source: Files,
  path: string,
  { writable }: { writable: boolean },
  stack: AsyncDisposableStack,
): Promise<string> {
  const root = source.layers
    ? stack.use(await run.session.mount(source.layers, { writable, signal: run.signal }))
    : stack.use(await mountFiles(run, source, writable))
  // Resolved inside the mounted tree, which nothing else writes to (B06).
  using tree = openSourceTree(root.path, { label: source.label })
  const resolved = tree.follow(path)
  if (resolved === undefined) throw notFound(source, path)
  return join(root.path, toText(resolved))
}

async function bindDigest(run: StepContext, source: Files, path: string): Promise<string> {
  await using opened = await source.open()
  const resolved = opened.tree.follow(path)
  if (resolved === undefined) throw notFound(source, path)
  // Awaited here: the tree is closed when this function ends.
  const { signal } = run
  const options = { excludes: [], parents: false }
  return await contentDigest(selectSources(opened.tree, plainSource(resolved), options), { signal })
}

/** Selection takes patterns; a resolved path is none. */
function plainSource(path: string): string {
  return Buffer.from(path, 'latin1')
    .toString('utf8')
    .replace(/[*?[\\]/g, '\\$&')
}

/**
 * The files of a context as an unnamed layer: it lacks what .dockerignore hides, and nothing that happens
 * to the directory during the step shows.
 */
async function mountFiles(run: StepContext, source: Files, writable: boolean) {
  const { session, signal } = run
  await using opened = await source.open()
  const tar = async function* () {
    const selections = selectSources(opened.tree, '.', { excludes: [], parents: false })
    const draft = createLayerDraft({ lower: undefined, latestTime: undefined, now: 0 })
    const placed = selections.map((selection) =>
      place(draft, selection, '', { owner: undefined, chmod: undefined, isLast: true }),
    )
    yield* packTarInPieces(placed)
  }
  const diffId = await session.temporaryLayer(tar, { signal })
  return session.mount([diffId], { writable, signal })
}

/** A new cache gets mode and owner, or begins with the files of `from`; an existing one keeps its own. */
async function prepareCache(
  run: StepContext,
  source: Files | undefined,
  option: MountOption,
  target: string,
): Promise<PreparedMount> {
  const { mode = 0o755, uid = 0, gid = 0, sharing, readOnly } = option
  const path = cleanPath(fromText(option.source ?? ''))
  const beginning = source && (await contentOf(run, source, path))
  return {
    definition: { type: 'cache', target, readOnly, mode, uid, gid, ...(beginning && { beginning }) },
    cache: {
      id: option.id ?? withoutEnd(posix.normalize(option.target!)),
      origin: beginning && JSON.stringify(beginning),
      ...{ sharing, mode, uid, gid },
      fill: source && ((directory) => copySource(run, source, path, directory)),
    },
    open: async (_stack, directory) => ({ mounts: [{ type: 'bind', source: directory!, target, readOnly }] }),
  }
}

async function copySource(run: StepContext, source: Files, path: string, directory: string): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const found = await mountSource(run, source, path, { writable: false }, stack)
  if (!(await stat(found)).isDirectory()) {
    throw new BaleError(
      'BUILD_FAILED',
      `/${printable(toText(path))} of ${source.label} is not a directory: it cannot be a cache`,
    )
  }
  const { code, stderr } = await runProgram('cp', ['-a', `${found}/.`, directory], { signal: run.signal })
  if (code !== 0)
    throw new BaleError('BUILD_FAILED', `cannot copy ${source.label} into the cache: ${printable(stderr.trim())}`)
}

function withoutEnd(path: string): string {
  return path.length > 1 ? path.replace(/\/$/, '') : path
}

const SECRET_LIMIT = 500 * 1024

function prepareSecret(run: StepContext, option: MountOption, workingDirectory: string): PreparedMount {
  const { mode = 0o400, uid = 0, gid = 0, env } = option
  const id = secretId(option)
  // With a variable alone there is no file, unless a target is given too.
  const written = option.target ?? (env === undefined ? `/run/secrets/${basename(id)}` : undefined)
  const target = written && posix.resolve(workingDirectory, written)
  return {
    definition: { type: 'secret', id, target, env, mode, uid, gid },
    async open(stack) {
      const secret = run.secrets.find((one) => one.id === id)
      if (!secret) {
        if (!option.required) return { mounts: [] }
        throw new BaleError('BUILD_FAILED', `secret ${printable(id)}: not found`, {
          next: { act: 'give-secret', id },
        })
      }
      const value = await secret.read()
      if (value.length > SECRET_LIMIT)
        throw new BaleError('LIMIT_EXCEEDED', `secret ${printable(id)} is larger than 500 KiB`)
      const variables = env === undefined ? [] : [`${env}=${Buffer.from(value).toString('utf8')}`]
      if (target === undefined) return { mounts: [], env: variables }
      const directory = stack.use(await run.session.memoryDirectory())
      const path = join(directory.path, 'secret')
      await writeFile(path, value, { mode: 0o600, flag: 'wx' })
      await chown(path, uid, gid)
      await chmod(path, mode)
      return { mounts: [{ type: 'bind', source: path, target, readOnly: true }], env: variables }
    },
  }
}

/** Agents are not forwarded yet: a step that needs one is refused, one that can do without continues, as in BuildKit. */
function prepareSsh(option: MountOption): PreparedMount {
  if (option.required) {
    throw new BaleError(
      'UNSUPPORTED',
      'RUN --mount=type=ssh,required is not supported yet: SSH agents are not forwarded',
      {
        hint: 'pass a key with --mount=type=secret',
      },
    )
  }
  return { definition: { type: 'ssh' }, open: async () => ({ mounts: [] }) }
}

function notFound(source: Files, path: string): BaleError {
  return new BaleError('PATH_NOT_FOUND', `/${printable(toText(path))} not found in ${source.label}`)
}
