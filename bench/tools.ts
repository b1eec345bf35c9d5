import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { startDockerd, type TestDockerd } from '../test/interop/dockerd.ts'
import { execute } from '../test/kit/bale.ts'

/** One of the programs compared. A command that a tool does not have is undefined. */
export interface Tool extends AsyncDisposable {
  readonly name: string
  readonly version: string
  readonly env: Record<string, string>
  /** Prints the version and does nothing else. */
  readonly about: string[]
  pull(image: string): string[]
  save(image: string, file: string): string[]
  load?(file: string): string[]
  remove(image: string): string[]
  run?(args: string[]): string[]
  exec?(args: string[]): string[]
  removeContainer?(id: string): string[]
  build?(tag: string, directory: string): string[]
  /** Makes the caches that would let a build be skipped go. */
  forgetBuilds?(): string[]
}

const basic = (extra: Record<string, string> = {}) => ({
  PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: process.env['HOME'] ?? '/root',
  ...extra,
})

async function firstLine(command: string[], env: Record<string, string>): Promise<string> {
  const outcome = await execute(command[0]!, command.slice(1), { env })
  return (outcome.stdout || outcome.stderr).split('\n')[0]!.trim()
}

export async function baleTool(directory: string): Promise<Tool> {
  const program = resolve(import.meta.dirname, '../bin/bale')
  const env = basic({
    BALE_ROOT: `${directory}/root`,
    BALE_RUN: `${directory}/run`,
    DOCKER_CONFIG: `${directory}/config`,
  })
  return {
    name: 'bale',
    version: await firstLine([program, '--version'], env),
    env,
    about: [program, '--version'],
    pull: (image) => [program, 'pull', '-q', image],
    save: (image, file) => [program, 'save', '-o', file, image],
    load: (file) => [program, 'load', '-q', '-i', file],
    remove: (image) => [program, 'rmi', '-f', image],
    run: (args) => [program, 'run', ...args],
    exec: (args) => [program, 'exec', ...args],
    removeContainer: (id) => [program, 'rm', '-f', id],
    build: (tag, context) => [program, 'build', '-q', '-t', tag, context],
    forgetBuilds: () => [program, 'builder', 'prune', '-af'],
    async [Symbol.asyncDispose]() {
      const ids = await execute(program, ['ps', '-aq'], { env })
      const left = ids.stdout.split('\n').filter(Boolean)
      if (left.length > 0) await execute(program, ['rm', '-f', '-v', ...left], { env })
    },
  }
}

export async function podmanTool(directory: string): Promise<Tool | undefined> {
  if (!existsSync('/usr/bin/podman')) return undefined
  mkdirSync(directory, { recursive: true })
  const conf = `${directory}/containers.conf`
  writeFileSync(
    conf,
    '[containers]\ndefault_ulimits = ["nofile=1024:1024","nproc=1024:1024"]\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n',
  )
  writeFileSync(
    `${directory}/storage.conf`,
    `[storage]\ndriver = "overlay"\ngraphroot = "${directory}/root"\nrunroot = "${directory}/run"\n`,
  )
  const env = basic({ CONTAINERS_CONF: conf, CONTAINERS_STORAGE_CONF: `${directory}/storage.conf` })
  const podman = (...args: string[]) => ['/usr/bin/podman', ...args]
  return {
    name: 'podman',
    version: await firstLine(podman('--version'), env),
    env,
    about: podman('--version'),
    pull: (image) => podman('pull', '-q', '--tls-verify=false', image),
    save: (image, file) => podman('save', '-q', '-o', file, image),
    load: (file) => podman('load', '-q', '-i', file),
    remove: (image) => podman('rmi', '-f', image),
    run: (args) => podman('run', ...args),
    exec: (args) => podman('exec', ...args),
    removeContainer: (id) => podman('rm', '-f', id),
    build: (tag, context) =>
      podman('build', '-q', '--isolation', 'chroot', '--network', 'host', '--layers', '-t', tag, context),
    forgetBuilds: () => podman('image', 'prune', '-f'),
    async [Symbol.asyncDispose]() {
      await execute('/usr/bin/podman', ['system', 'reset', '-f'], { env })
    },
  }
}

export async function dockerTool(directory: string): Promise<Tool | undefined> {
  if (!existsSync('/usr/sbin/dockerd')) return undefined
  const dockerd: TestDockerd = await startDockerd(directory, [])
  const env = basic({ DOCKER_HOST: `unix://${dockerd.socket}`, DOCKER_BUILDKIT: '0' })
  const docker = (...args: string[]) => [dockerd.client, ...args]
  return {
    name: 'docker',
    version: await firstLine(docker('--version'), env),
    env,
    about: docker('--version'),
    pull: (image) => docker('pull', '-q', image),
    save: (image, file) => docker('save', '-o', file, image),
    load: (file) => docker('load', '-q', '-i', file),
    remove: (image) => docker('rmi', '-f', image),
    run: (args) => docker('run', ...args),
    exec: (args) => docker('exec', ...args),
    removeContainer: (id) => docker('rm', '-f', id),
    build: (tag, context) => docker('build', '-q', '-t', tag, context),
    forgetBuilds: () => docker('image', 'prune', '-f'),
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  }
}

/** skopeo fetches into an OCI layout, umoci unpacks: what people do without an engine. */
export async function skopeoTool(directory: string): Promise<Tool | undefined> {
  if (!existsSync('/usr/bin/skopeo') || !existsSync('/usr/bin/umoci')) return undefined
  mkdirSync(directory, { recursive: true })
  const env = basic()
  const script = (text: string) => ['/bin/sh', '-c', text]
  return {
    name: 'skopeo+umoci',
    version: await firstLine(['/usr/bin/skopeo', '--version'], env),
    env,
    about: ['/usr/bin/skopeo', '--version'],
    pull: (image) =>
      script(
        `skopeo copy -q --src-tls-verify=false docker://${image} oci:${directory}/layout:one && umoci unpack --image ${directory}/layout:one ${directory}/bundle`,
      ),
    save: (_image, file) =>
      script(`rm -f ${file}; skopeo copy -q oci:${directory}/layout:one docker-archive:${file}:x/y:1`),
    remove: () => script(`rm -rf ${directory}/layout ${directory}/bundle`),
    async [Symbol.asyncDispose]() {
      await execute('/bin/rm', ['-rf', directory])
    },
  }
}
