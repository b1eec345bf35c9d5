import { readdir } from 'node:fs/promises'
import { errnoOf } from '#base'

/** The names in a directory, sorted; none when it is missing. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
