/** Values by path, so that all that lies below a directory can be forgotten at once. */
export interface PathTree<T> {
  get(path: string): T | undefined
  set(path: string, value: T): void
  /** Forgets what is at the path and below it. */
  remove(path: string): void
  /** Forgets what is below the path. */
  removeBelow(path: string): void
  /** Forgets what is at the path, not below it. */
  removeAt(path: string): void
  entries(): Generator<[path: string, value: T]>
}

interface Node<T> {
  value?: T | undefined
  children?: Map<string, Node<T>>
}

export function createPathTree<T>(): PathTree<T> {
  const root: Node<T> = {}

  /** The node and its parent; undefined when nothing is at or below the path. */
  function find(path: string): { node: Node<T>; parent?: Node<T>; name: string } | undefined {
    let node = root
    let parent: Node<T> | undefined
    let name = ''
    if (path === '') return { node, name }
    for (let start = 0; start <= path.length; ) {
      const slash = path.indexOf('/', start)
      const end = slash < 0 ? path.length : slash
      name = path.slice(start, end)
      const next = node.children?.get(name)
      if (!next) return undefined
      parent = node
      node = next
      start = end + 1
    }
    return parent ? { node, parent, name } : { node, name }
  }

  return {
    get: (path) => find(path)?.node.value,
    set(path, value) {
      let node = root
      for (const name of path.split('/')) {
        node.children ??= new Map()
        const next = node.children.get(name) ?? {}
        node.children.set(name, next)
        node = next
      }
      node.value = value
    },
    remove(path) {
      const found = find(path)
      if (found?.parent) found.parent.children!.delete(found.name)
      else if (found) clear(found.node)
    },
    removeBelow(path) {
      const found = find(path)
      if (found) delete found.node.children
    },
    removeAt(path) {
      const found = find(path)
      if (found) found.node.value = undefined
    },
    entries: () => walk(root, ''),
  }
}

function clear<T>(node: Node<T>): void {
  node.value = undefined
  delete node.children
}

function* walk<T>(node: Node<T>, path: string): Generator<[string, T]> {
  if (node.value !== undefined) yield [path, node.value]
  for (const [name, child] of node.children ?? []) yield* walk(child, path === '' ? name : `${path}/${name}`)
}
