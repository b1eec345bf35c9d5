/** What both readers of layers give, to be compared; and entries of a tar from what matters. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { writeLayer } from '../../../../test/kit/layer-kit.ts'
import { tarEntry, tarOf } from '../../../../test/kit/tar.ts'
import type { ReadableFile } from '../analyser.ts'
import { imageLayer, type LayerChange, type LayerFiles, type LayerVisitor, tarLayer, type Wanted } from './index.ts'

export async function* piecesOf(bytes: Buffer, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** A layer as both readers give it. */
export async function bothLayers(tar: Promise<Buffer>): Promise<[string, LayerFiles][]> {
  const bytes = await tar
  const { image } = await writeLayer(bytes)
  const open = () => {
    let isOpen = true
    return {
      readAt(position: number, length: number) {
        assert.ok(isOpen)
        return image.readAt(position, length)
      },
      [Symbol.dispose]() {
        isOpen = false
      },
    }
  }
  return [
    ['tar', tarLayer(async () => piecesOf(bytes, 70_000), tmpdir())],
    ['image', imageLayer(open)],
  ]
}

export interface Seen {
  changes: string[]
  contents: Map<string, string>
  /** In the order in which contents were given. */
  given: string[]
}

export type Wants = (path: string) => Partial<Wanted> | undefined

export async function visit(layer: LayerFiles, wants: Wants): Promise<Seen> {
  const seen: Seen = { changes: [], contents: new Map(), given: [] }
  await layer.visit(visitorOf(seen, wants))
  return seen
}

/** Names of one file are read once for each path, unless `key` says otherwise. */
export function visitorOf(seen: Seen, wants: Wants): LayerVisitor {
  const contents = new Map<string, string>()
  const finals: [path: string, content: string][] = []
  return {
    wantsTargets: true,
    wants({ path }) {
      const wanted = wants(path)
      return wanted && { key: path, ...wanted }
    },
    change(change) {
      seen.changes.push(textOf(change))
      const wanted = change.kind === 'file' ? wants(change.path) : undefined
      if (wanted && change.kind === 'file') finals.push([change.path, `${change.inode} ${wanted.key ?? change.path}`])
    },
    async content(file: ReadableFile, inode) {
      seen.given.push(file.path)
      contents.set(`${inode} ${wants(file.path)!.key ?? file.path}`, (await file.read()).toString('latin1'))
    },
    async end() {
      for (const [path, content] of finals) if (contents.has(content)) seen.contents.set(path, contents.get(content)!)
    },
  }
}

/** Without the inode, which each reader numbers in its own way. */
function textOf(change: LayerChange): string {
  const text = `${change.kind} ${change.path}`
  if (change.kind === 'symlink') return `${text} -> ${change.target}`
  return change.kind === 'file' ? `${text} ${change.size} ${change.mode.toString(8)}` : text
}

/** Both readers give the same of a tar; told with what each path has in the end. */
export async function same(entries: Parameters<typeof tarOf>[0], wants: Wants = () => ({})): Promise<Seen> {
  const [[, tar], [, image]] = (await bothLayers(tarOf(entries))) as [[string, LayerFiles], [string, LayerFiles]]
  const [fromTar, fromImage] = [await visit(tar, wants), await visit(image, wants)]
  assert.deepEqual(fromTar.changes.toSorted(), fromImage.changes.toSorted())
  const files = ({ changes }: Seen) => changes.filter((one) => one.startsWith('file '))
  assert.deepEqual(files(fromTar), files(fromImage), 'files come in the same order')
  assert.deepEqual(new Map([...fromTar.contents].sort()), fromImage.contents)
  return fromTar
}

export const text = (name: string, content = name) => ({ entry: tarEntry(name), text: content })
export const symlink = (name: string, linkName: string) => tarEntry(name, { type: 'symlink', linkName })
export const hardlink = (name: string, linkName: string) => tarEntry(name, { type: 'hardlink', linkName })
export const directory = (name: string) => tarEntry(name, { type: 'directory', mode: 0o755 })
