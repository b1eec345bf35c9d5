import { resolve } from 'node:path'
import { execute } from '../../test/kit/bale.ts'
import { basic, firstLine, type Tool } from './tool.ts'

export const BALE = resolve(import.meta.dirname, '../../bin/bale')

export function baleEnvironment(directory: string): Record<string, string> {
  return basic({
    BALE_ROOT: `${directory}/root`,
    BALE_RUN: `${directory}/run`,
    DOCKER_CONFIG: `${directory}/config`,
  })
}

export async function baleTool(directory: string): Promise<Tool> {
  const env = baleEnvironment(directory)
  const bale = (...args: string[]) => [BALE, ...args]
  const pushes = await execute(BALE, ['push', '--help'], { env })
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
    push: (_image, target, compression) => {
      if (compression === 'gzip') return bale('push', '-q', target)
      return pushes.stdout.includes('--compression-format')
        ? bale('push', '-q', '--compression-format', 'zstd', target)
        : undefined
    },
    run: (args) => bale('run', ...args),
    exec: (args) => bale('exec', ...args),
    removeContainer: (id) => bale('rm', '-f', id),
    commit: (id, image) => bale('commit', id, image),
    export: (id, file) => bale('export', '-o', file, id),
    build: (tag, context, file = 'Dockerfile') =>
      bale('build', '-q', '--network', 'host', '-f', `${context}/${file}`, '-t', tag, context),
    forgetBuilds: () => bale('builder', 'prune', '-af'),
    check: () => bale('system', 'check'),
    inventory: async (image, file) => bale('sbom', '-q', '-o', file, image),
    [Symbol.asyncDispose]: () => removeContainers(env),
  }
}

/** Ends what runs, so that nothing of it is left on the machine; an idle network would keep its bridge. */
export async function removeContainers(env: Record<string, string>): Promise<void> {
  const ids = await execute(BALE, ['ps', '-aq'], { env })
  const left = ids.stdout.split('\n').filter(Boolean)
  for (let at = 0; at < left.length; at += 500)
    await execute(BALE, ['rm', '-f', '-v', ...left.slice(at, at + 500)], { env })
  await execute(BALE, ['network', 'prune', '-f'], { env })
}
