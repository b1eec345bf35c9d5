import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reassembled, tarOf, writeLayer } from '../../../test/kit/layer-kit.ts'
import { checkErofs, openErofs, walkImage } from '../erofs/index.ts'
import type { NewTarEntry } from '../tar/index.ts'

type Step = {
  path: string
  type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo'
  size: number
  target: number
  seed: number
  xattr: number
}

/** What a layer should show: path -> type and content. The rules once more, in the plainest form. */
class Model {
  readonly tree = new Map<string, { kind: string; nid: object }>()
  readonly entries: { entry: NewTarEntry; data?: Uint8Array }[] = []

  apply({ path, type, size, target, seed, xattr }: Step): void {
    const parts = path.split('/')
    for (let i = 1; i < parts.length; i++) {
      const parent = parts.slice(0, i).join('/')
      const known = this.tree.get(parent)
      if (known && known.kind !== 'directory') return
    }
    let kind: string = type
    let node = {}
    let entry: NewTarEntry = {
      name: path,
      type,
      mode: 0o600 + (seed % 64),
      mtime: seed,
      xattrs: new Map(xattr > 0 ? [['user.x', Buffer.alloc(xattr, 'v')]] : []),
    }
    let data: Uint8Array | undefined
    if (type === 'file') {
      data = Buffer.alloc(size, `${seed}`)
      kind = `file ${size} ${seed}`
      entry.size = size
    } else if (type === 'symlink') {
      // Leads nowhere in the model's world, so that it is never followed.
      entry = { ...entry, linkName: `/nowhere/${'t'.repeat(size % 4000)}` }
    } else if (type === 'hardlink') {
      const files = [...this.tree].filter(([name, one]) => one.kind.startsWith('file') && name !== path)
      const chosen = files[target % Math.max(1, files.length)]
      if (!chosen) return
      entry = { name: path, type, linkName: chosen[0] }
      ;({ kind, nid: node } = chosen[1])
    }
    for (let i = 1; i < parts.length; i++) {
      const parent = parts.slice(0, i).join('/')
      if (!this.tree.has(parent)) this.tree.set(parent, { kind: 'directory', nid: {} })
    }
    const known = this.tree.get(path)
    if (!(known?.kind === 'directory' && type === 'directory')) {
      for (const name of [...this.tree.keys()]) if (name === path || name.startsWith(`${path}/`)) this.tree.delete(name)
      this.tree.set(path, { kind, nid: node })
    }
    this.entries.push({ entry, data })
  }

  lines(): string[] {
    const links = new Map<object, number>()
    for (const { nid } of this.tree.values()) links.set(nid, (links.get(nid) ?? 0) + 1)
    return [...this.tree]
      .map(
        ([path, { kind, nid }]) =>
          `${path} ${kind.split(' ').slice(0, 2).join(' ')} ${kind === 'directory' ? '' : links.get(nid)}`,
      )
      .sort()
  }
}

const steps = fc.array(
  fc.record({
    path: fc
      .array(fc.constantFrom('a', 'b', 'c', '!d', 'é'), { minLength: 1, maxLength: 3 })
      .map((parts) => Buffer.from(parts.join('/')).toString('latin1')),
    type: fc.constantFrom('file', 'file', 'file', 'directory', 'symlink', 'hardlink', 'fifo'),
    size: fc.oneof(
      fc.integer({ min: 0, max: 5000 }),
      fc.constantFrom(0, 1, 3967, 4031, 4032, 4033, 4095, 4096, 4097, 8192, 100_000),
    ),
    target: fc.nat(100),
    seed: fc.nat(9999),
    xattr: fc.constantFrom(0, 0, 0, 1, 100, 3000, 9000),
  }) as fc.Arbitrary<Step>,
  { maxLength: 40 },
)

test("any tree: the exact tar comes back, the image holds the model's tree and passes the checker, twice the same", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 100, max: 9000 }), async (all, piece) => {
      const model = new Model()
      for (const step of all) model.apply(step)
      const tar = await tarOf(model.entries)
      const layer = await writeLayer(tar, { piece })
      assert.ok((await reassembled(layer, piece)).equals(tar))
      assert.ok((await writeLayer(tar)).image.bytes.equals(layer.image.bytes))
      await checkErofs(layer.image)
      const image = await openErofs(layer.image)
      const lines: string[] = []
      for await (const one of walkImage(image)) {
        if (one.path === '') continue
        const kind = one.type === 'file' ? `file ${one.size}` : one.type
        lines.push(`${one.path} ${kind} ${one.type === 'directory' ? '' : one.links}`)
      }
      assert.deepEqual(lines.sort(), model.lines())
    }),
    { numRuns: 120 },
  )
})
