/** Makes an image of a directory's files, without a Dockerfile: `image-from-directory.ts DIRECTORY NAME`. */
import { createReadStream, globSync, lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createEngine, readConfig } from 'bale'
import { type PackedEntry, packTar } from 'bale/format'

const [directory, name] = process.argv.slice(2)
if (!directory || !name) throw new Error('usage: image-from-directory.ts DIRECTORY NAME')

async function* entries(root: string): AsyncGenerator<PackedEntry> {
  for (const path of globSync('**/*', { cwd: root }).sort()) {
    const stat = lstatSync(join(root, path))
    const common = { name: path, mode: stat.mode & 0o7777, uid: 0, gid: 0, mtime: Math.floor(stat.mtimeMs / 1000) }
    if (stat.isDirectory()) yield { entry: { ...common, type: 'directory' } }
    else if (stat.isSymbolicLink()) {
      yield { entry: { ...common, type: 'symlink', linkName: readlinkSync(join(root, path)) } }
    } else if (stat.isFile()) {
      yield { entry: { ...common, type: 'file', size: stat.size }, data: createReadStream(join(root, path)) }
    }
  }
}

await using engine = createEngine({ config: readConfig() })
const { id } = await engine.images.import(packTar(entries(directory)), { name })
console.log(`${name} is ${id}`)
