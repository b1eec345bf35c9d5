import { runProgram } from '#host'
import { readAppArmor, readMachine } from '../spec/index.ts'
import { programs } from './programs.ts'
import { defaultRuntime } from './runtime.ts'
import { parseRuntimeVersion, type Weakness, weaknessesOf } from './weaknesses.ts'

interface RuntimeInformation {
  name: 'runc' | 'crun'
  path: string
  /** The distribution's version if the program reports it; undefined if the output is unknown. */
  version?: string
  weaknesses: Weakness[]
}

interface WallInformation {
  /** What containers get that ask for none; undefined when no runtime is installed. */
  defaultRuntime?: 'runc' | 'crun'
  /** Those that are installed. */
  runtimes: RuntimeInformation[]
  seccomp: boolean
  /** With `none`, the reason when the kernel has AppArmor and bale cannot use it. */
  apparmor: { applied: true } | { applied: false; missing?: string }
}

/** The barriers between containers and this machine. `path` is searched for programs in addition to the system's directories. */
export async function wallInformation(path: string, chosen?: 'runc' | 'crun'): Promise<WallInformation> {
  const found = programs(path)
  const runtimes = (['crun', 'runc'] as const).flatMap((name) => {
    const program = found.find(name)
    return program ? [{ name, path: program }] : []
  })
  const { enabled, missing } = readAppArmor()
  return {
    ...(runtimes.length > 0 && { defaultRuntime: chosen ?? defaultRuntime(found) }),
    runtimes: await Promise.all(runtimes.map((one) => withVersion(one, found.searchPath))),
    seccomp: readMachine().seccomp,
    apparmor: enabled ? { applied: true } : { applied: false, ...(missing && { missing }) },
  }
}

async function withVersion(
  runtime: Pick<RuntimeInformation, 'name' | 'path'>,
  searchPath: string,
): Promise<RuntimeInformation> {
  const { stdout } = await runProgram(runtime.path, ['--version'], { env: { PATH: searchPath } })
  const version = parseRuntimeVersion(stdout)
  if (!version) return { ...runtime, weaknesses: [] }
  return { ...runtime, version: version.build ?? version.version, weaknesses: weaknessesOf(version) }
}
