import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPathTree } from './path-tree.ts'

const PATHS = ['', 'a', 'a/b', 'a/b/c', 'ab']

function treeOf(paths: readonly string[]) {
  const forgotten: string[] = []
  const tree = createPathTree<string>((value) => void forgotten.push(value))
  for (const path of paths) tree.set(path, `<${path}>`)
  return { tree, forgotten, paths: () => [...tree.entries()].map(([path]) => path) }
}

test('values are found at their paths, that of the root too', () => {
  const { tree, paths } = treeOf(PATHS)
  assert.deepEqual(paths(), PATHS)
  for (const path of PATHS) assert.equal(tree.get(path), `<${path}>`)
  assert.equal(tree.get('a/b/d'), undefined)
  assert.deepEqual([...tree.above('a/b/d/e')], ['<>', '<a>', '<a/b>'])
})

test('what is removed is forgotten, and told once', () => {
  for (const [method, path, gone] of [
    ['remove', 'a', ['a', 'a/b', 'a/b/c']],
    ['removeBelow', 'a', ['a/b', 'a/b/c']],
    ['removeAt', 'a', ['a']],
    ['remove', 'a/b/c', ['a/b/c']],
    ['remove', 'x', []],
    ['remove', '', PATHS],
  ] as const) {
    const { tree, forgotten, paths } = treeOf(PATHS)
    tree[method](path)
    tree[method](path)
    assert.deepEqual(
      forgotten,
      gone.map((one) => `<${one}>`),
      `${method} ${path}`,
    )
    assert.deepEqual(
      paths(),
      PATHS.filter((one) => !(gone as readonly string[]).includes(one)),
    )
  }
  const { tree, forgotten } = treeOf(['a'])
  tree.set('a', 'new')
  assert.deepEqual(forgotten, ['<a>'])
})
