/** Values by path, so that all that lies below a directory can be forgotten at once. The path of the root is empty. */
export interface PathTree<T> {
  get(path: string): T | undefined
  /** Forgets what was at the path. */
  set(path: string, value: T): void
  /** What is at the path and at the directories above it, from the root down. */
  above(path: string): Generator<T>
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
  children?: Map<string, Node<T>> | undefined
}

/** `forgotten` is called with each value that is forgotten. */
export function createPathTree<T>(forgotten?: (value: T) => void): PathTree<T> {
  const root: Node<T> = {}

  function clearAt(node: Node<T>): void {
    if (node.value !== undefined) forgotten?.(node.value)
    node.value = undefined
  }

  function clearBelow(node: Node<T>): void {
    const { children } = node
    node.children = undefined
    if (!forgotten) return
    for (const [, value] of walk({ children })) forgotten(value)
  }

  /** The nodes from the root to the path, as far as there are some. */
  function* way(path: string): Generator<Node<T>> {
    let node: Node<T> | undefined = root
    yield node
    for (const name of namesOf(path)) {
      node = node.children?.get(name)
      if (!node) return
      yield node
    }
  }

  function find(path: string): Node<T> | undefined {
    let node: Node<T> | undefined = root
    for (const name of namesOf(path)) {
      node = node.children?.get(name)
      if (!node) return undefined
    }
    return node
  }

  return {
    get: (path) => find(path)?.value,
    set(path, value) {
      let node = root
      for (const name of namesOf(path)) {
        node.children ??= new Map()
        const next = node.children.get(name) ?? {}
        node.children.set(name, next)
        node = next
      }
      clearAt(node)
      node.value = value
    },
    *above(path) {
      for (const { value } of way(path)) if (value !== undefined) yield value
    },
    remove(path) {
      const node = find(path)
      if (!node) return
      clearAt(node)
      clearBelow(node)
      const slash = path.lastIndexOf('/')
      if (path !== '') find(path.slice(0, Math.max(slash, 0)))!.children!.delete(path.slice(slash + 1))
    },
    removeBelow(path) {
      const node = find(path)
      if (node) clearBelow(node)
    },
    removeAt(path) {
      const node = find(path)
      if (node) clearAt(node)
    },
    entries: () => walk(root),
  }
}

function* namesOf(path: string): Generator<string> {
  for (let start = 0; start < path.length || (start === path.length && start > 0); ) {
    const slash = path.indexOf('/', start)
    const end = slash < 0 ? path.length : slash
    yield path.slice(start, end)
    start = end + 1
  }
}

/** Without recursion, since paths have up to two thousand parts. */
function* walk<T>(root: Node<T>): Generator<[string, T]> {
  if (root.value !== undefined) yield ['', root.value]
  const open = [{ path: '', children: root.children?.entries() }]
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const next = top.children?.next()
    if (!next || next.done) {
      open.pop()
      continue
    }
    const [name, node] = next.value
    const path = top.path === '' ? name : `${top.path}/${name}`
    if (node.value !== undefined) yield [path, node.value]
    if (node.children) open.push({ path, children: node.children.entries() })
  }
}
