import { BaleError } from '#base'
import { listOf, type Members, memberOf, textOf } from '../values.ts'

/** What a document says a product is: a repository or release by its CPE, a package by its package URL. */
export interface Product {
  readonly cpe?: string
  readonly purl?: string
  /** Package URL of the module that the package is part of, where the module is a product of its own. */
  readonly modulePurl?: string
}

const PRODUCTS_LIMIT = 2_000_000
const DEEPEST_BRANCH = 32
/** A package of a module of a repository. */
const DEEPEST_RELATION = 4

/**
 * Looks up what product a document means by an id. Relationships are followed: a component of a release has the component's
 * package URL and the release's CPE. Source: CSAF 2.0 section 3.2.2. Throws INVALID_ARCHIVE, LIMIT_EXCEEDED.
 */
export function readProductTree(tree: unknown): (id: string) => Product | undefined {
  const products = new Map<string, Product>()
  addBranches(products, memberOf(tree, 'branches'), 0)
  for (const name of listOf(memberOf(tree, 'full_product_names'), 'full_product_names', PRODUCTS_LIMIT))
    addProduct(products, name)
  const relations = new Map<string, { component: string; release: string }>()
  for (const relation of listOf(memberOf(tree, 'relationships'), 'relationships', PRODUCTS_LIMIT)) {
    const id = textOf(memberOf(memberOf(relation, 'full_product_name'), 'product_id'))
    const component = textOf(memberOf(relation, 'product_reference'))
    const release = textOf(memberOf(relation, 'relates_to_product_reference'))
    if (id && component && release) relations.set(id, { component, release })
  }
  const find = (id: string, depth: number): Product | undefined => {
    const relation = relations.get(id)
    if (!relation || depth > DEEPEST_RELATION) return products.get(id)
    const component = find(relation.component, depth + 1)
    const release = find(relation.release, depth + 1)
    return component && release && { purl: component.purl, cpe: release.cpe, modulePurl: release.purl }
  }
  return (id) => find(id, 0)
}

function addBranches(products: Map<string, Product>, branches: unknown, depth: number): void {
  if (depth > DEEPEST_BRANCH) throw new BaleError('LIMIT_EXCEEDED', 'branches of products are nested too deep')
  for (const branch of listOf(branches, 'branches', PRODUCTS_LIMIT)) {
    addProduct(products, memberOf(branch, 'product'))
    addBranches(products, memberOf(branch, 'branches'), depth + 1)
  }
}

function addProduct(products: Map<string, Product>, product: unknown): void {
  const id = textOf(memberOf(product, 'product_id'))
  const helper = memberOf(product, 'product_identification_helper') as Members | undefined
  if (id) products.set(id, { cpe: textOf(memberOf(helper, 'cpe')), purl: textOf(memberOf(helper, 'purl')) })
}
