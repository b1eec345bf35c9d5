import * as v from 'valibot'
import { checked, optionalList, optionalText } from './checked.ts'
import { type Product, parsePurl, productsOf } from './products.ts'
import { given, reasonOf, timeOf, type Verdict, type VexStatement } from './statement.ts'

const VERDICTS = {
  not_affected: 'not affected',
  fixed: 'fixed',
  affected: 'open',
  under_investigation: 'open',
} as const satisfies Record<string, Verdict>

const IDENTITY = { '@id': optionalText, identifiers: v.nullish(v.object({ purl: optionalText })) }

/** What was there before version 0.2 named products and vulnerabilities by a text alone. */
const named = <Entries extends v.ObjectEntries>(entries: Entries, key: string) =>
  v.pipe(
    v.unknown(),
    v.transform((value) => (typeof value === 'string' ? { [key]: value } : value)),
    v.object(entries),
  )

const DOCUMENT = v.object({
  author: optionalText,
  timestamp: optionalText,
  last_updated: optionalText,
  statements: v.array(
    v.object({
      vulnerability: named({ name: optionalText, '@id': optionalText, aliases: optionalList(v.string()) }, 'name'),
      products: optionalList(named({ ...IDENTITY, subcomponents: v.nullish(v.array(named(IDENTITY, '@id'))) }, '@id')),
      status: v.picklist(Object.keys(VERDICTS) as (keyof typeof VERDICTS)[]),
      justification: optionalText,
      impact_statement: optionalText,
      timestamp: optionalText,
      last_updated: optionalText,
    }),
  ),
})

type Statement = v.InferOutput<typeof DOCUMENT>['statements'][number]

/** Source: OpenVEX 0.2.0. */
export function openVexStatements(value: unknown, path: string): VexStatement[] {
  const { statements, author, timestamp, last_updated: updated } = checked(DOCUMENT, value, path)
  return statements.map((one) => ({
    ids: given([one.vulnerability.name, one.vulnerability['@id'], ...one.vulnerability.aliases]),
    verdict: VERDICTS[one.status],
    products: productsOf(one.products.flatMap(productOf)),
    reason: reasonOf(one.justification, one.impact_statement),
    author: author ?? undefined,
    time: timeOf(one.last_updated, one.timestamp, updated, timestamp),
  }))
}

function productOf({ subcomponents, ...product }: Statement['products'][number]): Product[] {
  const url = urlOf(product)
  return url ? [{ url, parts: subcomponents?.map(urlOf).filter((part) => part !== undefined) }] : []
}

function urlOf(component: { '@id'?: string | null; identifiers?: { purl?: string | null } | null }) {
  return parsePurl(component.identifiers?.purl ?? component['@id'] ?? undefined)
}
