import * as v from 'valibot'
import { checked, optionalList, optionalText } from './checked.ts'
import { type Product, parsePurl, productsOf } from './products.ts'
import { given, reasonOf, timeOf, type Verdict, type VexStatement } from './statement.ts'

const ids = optionalList(v.string())

const PRODUCT = v.object({
  product_id: v.string(),
  // CSAF 2.0 has one, 2.1 a list.
  product_identification_helper: v.nullish(v.object({ purl: optionalText, purls: ids, cpe: optionalText })),
})

type NamedProduct = v.InferOutput<typeof PRODUCT>

interface Branch {
  product?: NamedProduct | null
  branches: Branch[]
}

const BRANCH: v.GenericSchema<unknown, Branch> = v.object({
  product: v.nullish(PRODUCT),
  branches: optionalList(v.lazy(() => BRANCH)),
})

const TREE = v.object({
  branches: optionalList(BRANCH),
  full_product_names: optionalList(PRODUCT),
  product_groups: optionalList(v.object({ group_id: v.string(), product_ids: ids })),
  relationships: optionalList(
    v.object({ full_product_name: PRODUCT, product_reference: v.string(), relates_to_product_reference: optionalText }),
  ),
})

const REASON = { product_ids: ids, group_ids: ids }

const VULNERABILITY = v.object({
  cve: optionalText,
  ids: optionalList(v.object({ text: optionalText })),
  product_status: v.nullish(
    v.object({
      known_not_affected: ids,
      fixed: ids,
      first_fixed: ids,
      known_affected: ids,
      first_affected: ids,
      last_affected: ids,
      under_investigation: ids,
    }),
  ),
  flags: optionalList(v.object({ label: v.string(), ...REASON })),
  threats: optionalList(v.object({ category: v.string(), details: v.string(), ...REASON })),
})

const DOCUMENT = v.object({
  document: v.object({
    publisher: v.nullish(v.object({ name: optionalText })),
    tracking: v.nullish(v.object({ current_release_date: optionalText, initial_release_date: optionalText })),
  }),
  product_tree: v.nullish(TREE),
  vulnerabilities: optionalList(VULNERABILITY),
})

type Tree = v.InferOutput<typeof TREE>
type Vulnerability = v.InferOutput<typeof VULNERABILITY>
type Status = keyof NonNullable<Vulnerability['product_status']>

/** Of two that are said of one product in one document, the later one here holds. */
const VERDICTS: Readonly<Record<Status, Verdict>> = {
  known_not_affected: 'not affected',
  fixed: 'fixed',
  first_fixed: 'fixed',
  known_affected: 'open',
  first_affected: 'open',
  last_affected: 'open',
  under_investigation: 'open',
}

/**
 * Products that share a status may have different reasons, so each reason makes a statement. Source: OASIS CSAF 2.0 and 2.1, VEX
 * profile.
 */
export function csafStatements(value: unknown, path: string): VexStatement[] {
  const { document, product_tree: tree, vulnerabilities } = checked(DOCUMENT, value, path)
  const products = productsIn(tree ?? v.parse(TREE, {}))
  const groups = new Map((tree?.product_groups ?? []).map((group) => [group.group_id, group.product_ids]))
  const common = {
    author: document.publisher?.name ?? undefined,
    time: timeOf(document.tracking?.current_release_date, document.tracking?.initial_release_date),
  }
  return vulnerabilities.flatMap((one) => {
    const reasons = reasonsOf(one, groups)
    const names = given([one.cve, ...one.ids.map(({ text }) => text)])
    return (Object.keys(VERDICTS) as Status[]).flatMap((status) => {
      const byReason = Map.groupBy(one.product_status?.[status] ?? [], (id) => reasonOf(...(reasons.get(id) ?? [])))
      return [...byReason].map(([reason, productIds]) => ({
        ids: names,
        verdict: VERDICTS[status],
        products: productsOf(productIds.flatMap((id) => products.get(id) ?? [])),
        reason,
        ...common,
      }))
    })
  })
}

/** More than a flag and an impact are of no use to a reader. */
const MOST_REASONS = 4

/** Flags and impacts, by product. */
function reasonsOf({ flags, threats }: Vulnerability, groups: ReadonlyMap<string, readonly string[]>) {
  const reasons = new Map<string, string[]>()
  const impacts = threats.filter(({ category }) => category === 'impact')
  for (const { reason, product_ids: products, group_ids: grouped } of [
    ...flags.map((flag) => ({ reason: flag.label, ...flag })),
    ...impacts.map((impact) => ({ reason: impact.details, ...impact })),
  ]) {
    for (const id of new Set([...products, ...grouped.flatMap((group) => groups.get(group) ?? [])])) {
      const known = reasons.get(id)
      if (!known) reasons.set(id, [reason])
      else if (known.length < MOST_REASONS) known.push(reason)
    }
  }
  return reasons
}

/**
 * Products by their ids. One that has another as a component of it is found by the package URLs of the component: in that release
 * alone, where the document says by a CPE which it is.
 */
function productsIn({ branches, full_product_names: plain, relationships }: Tree): Map<string, readonly Product[]> {
  const products = new Map<string, readonly Product[]>()
  const add = (product: NamedProduct, component: readonly Product[] = []) => {
    const { purl, purls = [] } = product.product_identification_helper ?? {}
    const urls = given([purl, ...purls])
      .map(parsePurl)
      .filter((url) => url !== undefined)
    products.set(product.product_id, urls.length > 0 ? urls.map((url) => ({ url })) : component)
  }
  const alone = [...productsOfBranches(branches), ...plain]
  for (const product of alone) add(product)
  const releaseOf = releasesIn(alone, relationships)
  for (const { full_product_name: product, product_reference: of } of relationships) {
    const within = releaseOf(product.product_id)
    add(product, within === undefined ? products.get(of) : products.get(of)?.map((one) => ({ ...one, within })))
  }
  return products
}

/** The depth of the document is bounded. */
function* productsOfBranches(branches: readonly Branch[]): Generator<NamedProduct> {
  for (const { product, branches: below } of branches) {
    if (product) yield product
    yield* productsOfBranches(below)
  }
}

/** The CPE of what a product is a component of, perhaps by way of a module; its own, when it has one. */
function releasesIn(alone: readonly NamedProduct[], relationships: Tree['relationships']) {
  const own = new Map<string, string>()
  const note = (product: NamedProduct) => {
    const cpe = product.product_identification_helper?.cpe
    if (cpe) own.set(product.product_id, cpe)
  }
  for (const product of alone) note(product)
  const above = new Map<string, string>()
  for (const { full_product_name: product, relates_to_product_reference: to } of relationships) {
    note(product)
    if (to) above.set(product.product_id, to)
  }
  return (id: string): string | undefined => {
    let at: string | undefined = id
    for (let steps = 0; at !== undefined && steps < DEEPEST; steps++) {
      const cpe = own.get(at)
      if (cpe !== undefined) return cpe
      at = above.get(at)
    }
    return undefined
  }
}

/** A package of a module of a release is the deepest that documents have. */
const DEEPEST = 8
