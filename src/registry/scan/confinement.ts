import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { readText } from '#host/file'

/** What a process may have. */
export interface ProcessLimits {
  /** Bytes of memory. */
  memory: number
  /** Milliseconds. */
  time: number
  /** What it may write to. */
  directory?: string
  /** Other files that it may read. */
  reads?: readonly string[]
}

/** How processes are held to their limits on this machine. */
export interface Confinement {
  /** The program and its arguments that start a module as a process of its own. */
  command(module: string, limits: ProcessLimits): [program: string, args: string[]]
  /** What this machine cannot do, in words; empty where it can do all. */
  readonly missing: readonly string[]
}

const MIB = 1024 * 1024
/** For stacks of threads that begin later, and for what the allocator keeps. */
const BESIDES = 128 * MIB
/** Of the memory, what objects of JavaScript may take; the rest is for buffers. */
const HEAP = 0.6
/** No file of an image that is read as a whole is larger. */
const FILE_SIZE = 4096 * MIB

/** Both programs are of util-linux. A user namespace needs no rights, where the system allows it at all. */
const NO_NETWORK = ['--user', '--map-root-user', '--net', '--']

/** Finds out what this machine can do, by trying it out. */
export async function findConfinement(programs: Programs = findPrograms()): Promise<Confinement> {
  const { unshare, prlimit, nice } = programs
  const [isolated, least] = await Promise.all([
    unshare === undefined ? undefined : said(unshare, [...NO_NETWORK, process.execPath, '--version']),
    prlimit === undefined ? undefined : leastData(prlimit),
  ])
  const isolates = isolated !== undefined
  const missing = [
    ...(isolates ? [] : ["unshare(1) cannot create namespaces here, so scans share the registry's network"]),
    ...(least === undefined
      ? ["prlimit(1) does not work here, so a scan's memory outside the JavaScript heap is not limited"]
      : []),
  ]
  return {
    missing,
    command(module, wanted) {
      const outer = [
        ...(nice === undefined ? [] : [nice, '-n', '5']),
        ...(isolates ? [unshare!, ...NO_NETWORK] : []),
        ...(least === undefined ? [] : [prlimit!, ...limitsOf(wanted, least), '--']),
      ]
      const [program, ...args] = [...outer, process.execPath, ...nodeArguments(module, wanted), module]
      return [program!, args]
    },
  }
}

/** Bytes that count as data of a process that does nothing: most of them are reserved and never used. */
async function leastData(prlimit: string): Promise<number | undefined> {
  const idle = "process.stdout.write('up'); process.stdin.resume()"
  const child = spawn(prlimit, ['--core=0', process.execPath, '-e', idle], {
    ...PLACE,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  try {
    await Promise.race([once(child.stdout, 'data'), once(child, 'close')])
    // prlimit has become the program that it starts.
    const kibibytes = /^VmData:\s+(\d+) kB$/m.exec(await readText(`/proc/${child.pid}/status`))
    return kibibytes ? Number(kibibytes[1]) * 1024 : undefined
  } catch {
    return undefined
  } finally {
    child.kill('SIGKILL')
  }
}

const PLACE = { env: {}, cwd: '/', timeout: 10_000 }

interface Programs {
  unshare?: string | undefined
  prlimit?: string | undefined
  /** So that requests are answered first where processors are short. */
  nice?: string | undefined
}

/** Where they are on every distribution. The search path is not used: whoever sets it would choose the program. */
function findPrograms(): Programs {
  const find = (name: string) => ['/usr/bin', '/bin'].map((directory) => `${directory}/${name}`).find(isProgram)
  return { unshare: find('unshare'), prlimit: find('prlimit'), nice: find('nice') }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Undefined when it does not work. */
async function said(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(program, args, PLACE)).stdout
  } catch {
    return undefined
  }
}

/** Four times the time, since several threads spend processor time at once; the limit also ends a process that outlives its parent. */
function limitsOf({ memory, time }: ProcessLimits, least: number): string[] {
  const seconds = Math.ceil(time / 1000) * 4 + 60
  const data = least + BESIDES + memory
  return [`--data=${data}`, `--cpu=${seconds}`, `--fsize=${FILE_SIZE}`, '--core=0', '--nofile=256']
}

/** The process reads its own program and what it is given, writes to its own directory, and starts nothing. */
function nodeArguments(module: string, { memory, directory, reads = [] }: ProcessLimits): string[] {
  const own = directory === undefined ? [] : [`${directory}/*`]
  return [
    ...process.execArgv.filter((argument) => argument.startsWith('--conditions=')),
    '--disable-warning=ExperimentalWarning',
    `--max-old-space-size=${Math.floor((memory * HEAP) / MIB)}`,
    '--permission',
    ...[...programFiles(module), ...reads, ...own].map((path) => `--allow-fs-read=${path}`),
    ...own.map((path) => `--allow-fs-write=${path}`),
  ]
}

/** What a module of this package needs: the sources or what was built of them, and the packages that they import. */
function programFiles(module: string): string[] {
  let root = dirname(module)
  while (!existsSync(join(root, 'package.json')) && root !== dirname(root)) root = dirname(root)
  const built = join(root, relative(root, module).split('/', 1)[0]!)
  // Beside this package, where that is a dependency itself.
  const packages = [join(root, 'node_modules'), root.slice(0, root.lastIndexOf('/node_modules/') + 13)]
  const found = packages.filter((path) => path.endsWith('/node_modules') && existsSync(path))
  return [
    join(root, 'package.json'),
    `${built}/*`,
    ...found.flatMap((path) => [`${path}/*`, `${realpathSync(path)}/*`]),
  ]
}
