import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execute } from '../kit/bale.ts'

/** What a runtime puts into a container's tree for itself: mount points, and files it mounts over. */
const RUNTIME = /^(dev|proc|sys|run|\.dockerenv|etc\/(hostname|hosts|resolv\.conf|mtab)|run\/\.containerenv)(\/|$)/

/**
 * One line for each file below a directory: path, type, mode, owner, size, time, digest or target; names of one hard-linked
 * file stand on the line of each. Directories have no time: where a runtime makes mount points in them it changes.
 */
export function treeOf(directory: string): string[] {
  const lines: { path: string; line: string; file: string }[] = []
  const visit = (below: string) => {
    for (const name of readdirSync(join(directory, below)).sort()) {
      const path = join(below, name)
      if (RUNTIME.test(path)) continue
      const stat = lstatSync(join(directory, path))
      const facts = [path, stat.mode.toString(8), `${stat.uid}:${stat.gid}`]
      if (stat.isSymbolicLink()) facts.push(`-> ${readlinkSync(join(directory, path))}`)
      else if (stat.isFile())
        facts.push(
          `${stat.size}`,
          createHash('sha256')
            .update(readFileSync(join(directory, path)))
            .digest('hex'),
        )
      else if (!stat.isDirectory()) facts.push(`${stat.rdev}`)
      if (!stat.isDirectory()) facts.push(`${Math.floor(stat.mtimeMs / 1000)}`)
      lines.push({ path, line: facts.join(' '), file: stat.isFile() && stat.nlink > 1 ? `${stat.ino}` : '' })
      if (stat.isDirectory()) visit(path)
    }
  }
  visit('')
  return lines.map(({ line, file }) => {
    const names = file === '' ? [] : lines.filter((one) => one.file === file).map((one) => one.path)
    return names.length > 1 ? `${line} = ${names.join(' ')}` : line
  })
}

/** The tree in a tar, as GNU tar unpacks it. The archive comes from `command`, a shell command line. */
export async function treeOfExport(directory: string, command: string, env: Record<string, string>): Promise<string[]> {
  mkdirSync(directory)
  const script = `${command} | tar -x -p --same-owner --numeric-owner -f - -C '${directory}'`
  const outcome = await execute('/bin/bash', ['-c', `set -o pipefail; ${script}`], { env })
  if (outcome.code !== 0) throw new Error(`${command}: ${outcome.stderr}`)
  return treeOf(directory)
}
