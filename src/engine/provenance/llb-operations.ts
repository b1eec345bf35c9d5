import { basename, posix } from 'node:path'
import { isUrl, withoutSecrets } from '#base'
import { type RecordedStep, secretId } from '#build'
import type { Platform } from '#spec'

/** Where the inputs of an operation are among all of it; -1 is nothing at all. */
export type Inputs = readonly number[]

type NodeOf<Operation extends string> = Extract<RecordedStep['node'], { operation: Operation }>

export function sourceOperation(identifier: string, platform?: Platform) {
  return { Op: { source: { identifier } }, ...(platform && { platform: llbPlatform(platform) }) }
}

export function httpOperation(url: string, checksum: string | undefined) {
  const attrs = checksum === undefined ? undefined : { 'http.checksum': checksum }
  return { Op: { source: { identifier: withoutSecrets(url), attrs } } }
}

export function llbPlatform({ os, architecture, variant }: Platform) {
  return { Architecture: architecture, OS: os, Variant: variant || undefined }
}

const NETWORKS = { bridge: undefined, host: 1, none: 2 } as const

/** RUN. Its secrets are named; what they are is nowhere. */
export function runOperation({ definition }: NodeOf<'run'>, [base, ...sources]: Inputs) {
  const { args, env, cwd, user, network, insecure, mounts } = definition
  return {
    Op: {
      exec: {
        meta: { args: args.map(withoutSecrets), env: env.map(withoutSecrets), cwd, user: user || undefined },
        mounts: [
          { input: base, dest: '/', output: 0 },
          ...mounts.flatMap((mount) => mountOf(mount, mount.input === undefined ? -1 : sources[mount.input]!, cwd)),
        ],
        network: NETWORKS[network],
        security: insecure ? 1 : undefined,
        secretenv: secretVariables(definition),
      },
    },
  }
}

type Mount = NodeOf<'run'>['definition']['mounts'][number]

const MOUNT_TYPES = { bind: undefined, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const
const SHARING = { shared: undefined, private: 1, locked: 2 } as const

function mountOf({ option }: Mount, input: number, cwd: string) {
  const { type, source, target, readOnly, required, uid, gid, mode, size, sharing } = option
  const isFile = type !== 'secret' || target !== undefined || option.env === undefined
  if (!isFile) return []
  const id = secretId(option)
  const owned = { uid, gid, mode }
  return {
    input,
    selector: type === 'bind' || type === 'cache' ? source : undefined,
    dest: posix.resolve(cwd, target ?? (type === 'secret' ? `/run/secrets/${basename(id)}` : '')),
    output: -1,
    readonly: readOnly || undefined,
    mountType: MOUNT_TYPES[type],
    TmpfsOpt: type === 'tmpfs' && size !== undefined ? { size } : undefined,
    cacheOpt: type === 'cache' ? { ID: option.id ?? target, sharing: SHARING[sharing] } : undefined,
    secretOpt: type === 'secret' ? { ID: id, ...owned, optional: !required || undefined } : undefined,
    SSHOpt: type === 'ssh' ? { ID: option.id ?? 'default', ...owned, optional: !required || undefined } : undefined,
  }
}

function secretVariables({ mounts }: NodeOf<'run'>['definition']) {
  const found = mounts.flatMap(({ option }) => {
    if (option.type !== 'secret' || option.env === undefined) return []
    return [{ ID: secretId(option), name: option.env, optional: !option.required || undefined }]
  })
  return found.length > 0 ? found : undefined
}

/** COPY and ADD. `inputs`: the stage, what is copied from, and the fetched files. */
export function copyOperation({ definition }: NodeOf<'copy'>, [base, from, ...fetched]: Inputs, inputs: number) {
  const { kind, sources, files, destination, chown, chmod, excludes, unpack, parents } = definition
  const dest = destination.isDirectory ? posix.join(destination.path, '/') : destination.path
  const isFetched = (path: string) => kind === 'ADD' && isUrl(path)
  const owner = ownerOf(chown)
  const urls = sources.filter(isFetched)
  const copies = sources.map((path) => ({
    secondaryInput: isFetched(path) ? fetched[urls.indexOf(path)]! : from!,
    action: {
      copy: {
        src: posix.resolve('/', isFetched(path) ? posix.basename(new URL(path).pathname) : path),
        dest,
        owner,
        modeStr: chmod,
        timestamp: -1,
        createDestPath: true,
        followSymlink: true,
        dirCopyContents: !parents || undefined,
        allowWildcard: true,
        allowEmptyWildcard: true,
        attemptUnpackDockerCompatibility: (kind === 'ADD' && (unpack ?? !isFetched(path))) || undefined,
        exclude_patterns: excludes.length > 0 ? excludes : undefined,
      },
    },
  }))
  const made = files.map(({ name }) => {
    return {
      action: {
        mkfile: { path: destination.isDirectory ? posix.join(dest, name) : dest, mode: 0o644, owner, timestamp: -1 },
      },
    }
  })
  return fileOperation([...copies, ...made], { base: base!, inputs })
}

/** `1000:users`: numbers are IDs, anything else is a name. */
function ownerOf(text: string | undefined) {
  if (text === undefined) return undefined
  const [user, group] = text.split(':').map((part) => ({
    User: /^\d{1,10}$/.test(part) ? { byId: Number(part) } : { byName: { name: part, input: -1 } },
  }))
  return { user, group }
}

/** WORKDIR. */
export function directoryOperation({ definition }: NodeOf<'workdir'>, [base]: Inputs, inputs: number) {
  const action = { mkdir: { path: definition.directory, mode: 0o755, makeParents: true, timestamp: -1 } }
  return fileOperation([{ action }], { base: base!, inputs })
}

/** FROM a context: its files are the first layer. */
export function contextOperation([base, from]: Inputs, inputs: number) {
  const copy = { src: '/', dest: '/', dirCopyContents: true, createDestPath: true, timestamp: -1 }
  return fileOperation([{ secondaryInput: from!, action: { copy } }], { base: base!, inputs })
}

interface FileAction {
  secondaryInput?: number
  action: Readonly<Record<string, object>>
}

/** Each action works on the result of the one before; those are counted behind the inputs. Only the last one is a result. */
function fileOperation(actions: readonly FileAction[], { base, inputs }: { base: number; inputs: number }) {
  const last = actions.length - 1
  return {
    Op: {
      file: {
        actions: actions.map(({ secondaryInput = -1, action }, at) => ({
          input: at === 0 ? base : inputs + at - 1,
          secondaryInput,
          output: at === last ? 0 : -1,
          Action: action,
        })),
      },
    },
  }
}
