import { chmodSync, mkdirSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Creates a directory and its missing parents, all with exactly this mode: the umask belongs to whoever started
 * the process and must not affect what containers see. An existing directory keeps its mode.
 */
export async function mkdirWithMode(path: string, mode: number): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode })
  for (const directory of madeDirectories(path, first)) await chmod(directory, mode)
}

export function mkdirWithModeSync(path: string, mode: number): void {
  for (const directory of madeDirectories(path, mkdirSync(path, { recursive: true, mode }))) chmodSync(directory, mode)
}

/** From the first directory that was made down to the last. */
function madeDirectories(last: string, first: string | undefined): string[] {
  if (first === undefined) return []
  const made = [last.replace(/\/+$/, '')]
  while (made[0]!.length > first.length) made.unshift(dirname(made[0]!))
  return made
}

/** Writes a file that others are to read, with exactly this mode. */
export async function writeFileWithMode(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await writeFile(path, content, { mode })
  await chmod(path, mode)
}
