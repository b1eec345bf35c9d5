import { execute } from '../../test/kit/bale.ts'

/** One of the programs compared. A command that a tool does not have is undefined. */
export interface Tool extends AsyncDisposable {
  readonly name: string
  readonly version: string
  readonly env: Readonly<Record<string, string>>
  /** Prints the version and does nothing else. */
  readonly about: readonly string[]
  /** Processes that work for the commands without being their children. */
  daemons?(): number[]
  containers?(): string[]
  images?(): string[]
  pull?(image: string): string[]
  save?(image: string, file: string): string[]
  load?(file: string): string[]
  remove?(image: string): string[]
  /** What `load` calls an image of the archive. */
  loadedName?(name: string): string
  push?(image: string, target: string, compression: 'gzip' | 'zstd'): string[] | undefined
  run?(args: readonly string[]): string[]
  exec?(args: readonly string[]): string[]
  removeContainer?(id: string): string[]
  commit?(id: string, image: string): string[]
  export?(id: string, file: string): string[]
  /** `file`: the Dockerfile's name within the directory. */
  build?(tag: string, directory: string, file?: string): string[]
  /** Commands that remove what earlier builds left: caches, and images without a name, which keep the layers of their base. */
  forgetBuilds?(): string[][]
  /** Verifies the whole store. */
  check?(): string[]
  /** Writes a list of the packages of an image's archive as CycloneDX. */
  inventory?(archive: string, file: string): Promise<string[]>
}

/** The environment of a tool: nothing of the caller's but where programs are. */
export const basic = (extra: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: process.env['HOME'] ?? '/root',
  ...extra,
})

export async function firstLine(command: readonly string[], env: Record<string, string>): Promise<string> {
  const outcome = await execute(command[0]!, command.slice(1), { env })
  return (outcome.stdout || outcome.stderr).split('\n')[0]!.trim()
}

/** A shell's command line; it ends at the first failure, also within a pipe. */
export const script = (text: string): string[] => ['/bin/bash', '-ceo', 'pipefail', text]
