import { type WalkedFile, walkDirectory } from '#host'
import { unreadable } from './unreadable-layer.ts'

/** `walkDirectory` over what layers show: an unreadable directory is reported with its layer. */
export function* walkTree(directory: string, enter?: (file: WalkedFile) => boolean): Generator<WalkedFile> {
  let last = ''
  try {
    for (const file of walkDirectory(directory, enter)) {
      last = file.path
      yield file
    }
  } catch (error) {
    throw unreadable(error, Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(last, 'latin1')]))
  }
}
