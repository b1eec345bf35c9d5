import { cpSync, existsSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { execute } from '../../test/kit/bale.ts'
import { basic, firstLine, type Tool } from './tool.ts'

const project = resolve(import.meta.dirname, '../..')

/** The program as npm installs it, put into a directory: a clone looks at all its sources at each start. */
export function installedBale(directory: string): string {
  const place = join(directory, 'package')
  if (!existsSync(place)) {
    for (const name of ['bin', 'dist', 'package.json'])
      cpSync(join(project, name), join(place, name), { recursive: true })
    symlinkSync(join(project, 'node_modules'), join(place, 'node_modules'))
  }
  return join(place, 'bin/bale')
}

export function baleEnvironment(directory: string): Record<string, string> {
  return basic({
    BALE_ROOT: `${directory}/root`,
    BALE_RUN: `${directory}/run`,
    DOCKER_CONFIG: `${directory}/config`,
  })
}

export async function baleTool(directory: string): Promise<Tool> {
  const env = baleEnvironment(directory)
  const program = installedBale(directory)
  const bale = (...args: string[]) => [program, ...args]
  return {
    name: 'bale',
    version: await firstLine(bale('--version'), env),
    env,
    about: bale('--version'),
    containers: () => bale('ps'),
    images: () => bale('images'),
    pull: (image) => bale('pull', '-q', image),
    save: (image, file) => bale('save', '-o', file, image),
    load: (file) => bale('load', '-q', '-i', file),
    remove: (image) => bale('rmi', '-f', image),
    loadedName: (name) => name,
    push: (_image, target, compression) => bale('push', '-q', '--compression-format', compression, target),
    run: (args) => bale('run', ...args),
    exec: (args) => bale('exec', ...args),
    removeContainer: (id) => bale('rm', '-f', id),
    commit: (id, image) => bale('commit', id, image),
    export: (id, file) => bale('export', '-o', file, id),
    build: (tag, context, file = 'Dockerfile') =>
      bale('build', '-q', '--network', 'host', '-f', `${context}/${file}`, '-t', tag, context),
    forgetBuilds: () => [bale('image', 'prune', '-f'), bale('builder', 'prune', '-af')],
    check: () => bale('system', 'check'),
    inventory: async (image, file) => bale('sbom', '-q', '-o', file, image),
    [Symbol.asyncDispose]: () => removeContainers(program, env),
  }
}

/** Ends what runs, so that nothing of it is left on the machine; an idle network would keep its bridge. */
export async function removeContainers(program: string, env: Record<string, string>): Promise<void> {
  const ids = await execute(program, ['ps', '-aq'], { env })
  const left = ids.stdout.split('\n').filter(Boolean)
  for (let at = 0; at < left.length; at += 500)
    await execute(program, ['rm', '-f', '-v', ...left.slice(at, at + 500)], { env })
  await execute(program, ['network', 'prune', '-f'], { env })
}
