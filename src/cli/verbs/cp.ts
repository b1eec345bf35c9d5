import { resolve } from 'node:path'
import { BaleError } from '#base'
import { humanSize } from '#docker'
import { openOutput, pourInto } from '#engine'
import { outputTarget } from '../terminal/output-target.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { defineVerb } from '../verb/verb.ts'

export const verb = defineVerb({
  name: 'cp',
  summary: 'Copy files between a container and this machine',
  usage: 'CONTAINER:PATH LOCAL|- | LOCAL|- CONTAINER:PATH',
  arguments: { min: 2, max: 2 },
  options: [
    { flags: '-a, --archive', description: 'Preserve owners' },
    { flags: '-L, --follow-link', description: 'Follow symbolic links in the source' },
    { flags: '-q, --quiet', description: 'Do not print how much was copied' },
  ],
  examples: [
    { command: 'bale cp web:/etc/nginx ./nginx', explains: 'A directory out of a container' },
    { command: 'bale cp page.html web:/srv/', explains: 'A file into a directory of a container' },
    { command: 'bale cp web:/var/log - | tar t', explains: 'As a tar on stdout' },
  ],
  writesData: true,
  async run({ args, options, engine, io, signal }) {
    const [from, to] = [args[0]!, args[1]!].map(endOf) as [End, End]
    const settings = { archive: options.archive, follow: options.followLink, signal }
    notEmpty(from)
    notEmpty(to)
    if (from.container !== undefined && to.container !== undefined)
      throw new BaleError('INVALID_ARGUMENT', 'copying between containers is not supported')
    if (from.container !== undefined) {
      if (to.path !== '-') {
        const bytes = await engine.containers.copyFrom(from.container, from.path, local(to.path), settings)
        tellCopied(bytes, args[1]!, options.quiet, io)
      } else {
        const tar = await engine.containers.readPath(from.container, from.path, settings)
        await using output = await openOutput(outputTarget(undefined, io))
        await pourInto(output, tar, { signal })
      }
    } else if (to.container !== undefined) {
      if (from.path !== '-') {
        const bytes = await engine.containers.copyInto(to.container, local(from.path), to.path, settings)
        tellCopied(bytes, args[1]!, options.quiet, io)
      } else await engine.containers.writePath(to.container, to.path, io.stdin, settings)
    } else throw new BaleError('INVALID_ARGUMENT', 'must specify at least one container source')
    return 0
  },
})

interface End {
  container?: string
  path: string
}

/** On a terminal, unless --quiet; elsewhere only when --quiet=false asks for it, as with docker. */
function tellCopied(bytes: number, place: string, quiet: boolean | undefined, io: Terminal): void {
  if (quiet ?? !io.stdout.isTTY) return
  io.warn(`Successfully copied ${humanSize(bytes)} to ${place}`)
}

function notEmpty(end: End): void {
  if (end.container === undefined || end.path !== '') return
  throw new BaleError('INVALID_ARGUMENT', `the path in container ${end.container} is empty`, {
    hint: `its whole filesystem is ${end.container}:/`,
  })
}

/** `NAME:PATH`; a path that begins with `/` or `.` is one of this machine, colons or not. */
function endOf(text: string): End {
  if (text.startsWith('/') || text.startsWith('.')) return { path: text }
  const at = text.indexOf(':')
  if (at < 1) return { path: text }
  return { container: text.slice(0, at), path: text.slice(at + 1) }
}

/** Absolute, with the ending that docker's rules look at. */
function local(path: string): string {
  const ending = path.endsWith('/.') || path === '.' ? '/.' : path.endsWith('/') ? '/' : ''
  return `${resolve(path)}${ending}`
}
