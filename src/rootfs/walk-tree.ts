import { type WalkedFile, walkFolder } from '#host'
import { unreadable } from './unreadable-layer.ts'

/** `walkFolder` over what layers show: a directory that cannot be read is told with its layer. */
export function* walkTree(folder: string, enter?: (file: WalkedFile) => boolean): Generator<WalkedFile> {
  let last = ''
  try {
    for (const file of walkFolder(folder, enter)) {
      last = file.path
      yield file
    }
  } catch (error) {
    throw unreadable(error, Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(last, 'latin1')]))
  }
}
