import * as v from 'valibot'
import { checked, optionalList, optionalText } from './checked.ts'
import { type Product, parsePurl, productsOf } from './products.ts'
import { given, reasonOf, timeOf, type Verdict, type VexStatement } from './statement.ts'

const VERDICTS = {
  not_affected: 'not affected',
  false_positive: 'not affected',
  resolved: 'fixed',
  resolved_with_pedigree: 'fixed',
  exploitable: 'open',
  in_triage: 'open',
} as const satisfies Record<string, Verdict>

interface Component {
  'bom-ref'?: string | null
  purl?: string | null
  components: Component[]
}

const COMPONENT: v.GenericSchema<unknown, Component> = v.object({
  'bom-ref': optionalText,
  purl: optionalText,
  components: optionalList(v.lazy(() => COMPONENT)),
})

const DOCUMENT = v.object({
  metadata: v.nullish(
    v.object({
      timestamp: optionalText,
      supplier: v.nullish(v.object({ name: optionalText })),
      component: v.nullish(COMPONENT),
    }),
  ),
  components: optionalList(COMPONENT),
  vulnerabilities: optionalList(
    v.object({
      id: optionalText,
      references: optionalList(v.object({ id: optionalText })),
      updated: optionalText,
      analysis: v.nullish(
        v.object({
          state: v.nullish(v.picklist(Object.keys(VERDICTS) as (keyof typeof VERDICTS)[])),
          justification: optionalText,
          detail: optionalText,
          lastUpdated: optionalText,
        }),
      ),
      affects: optionalList(
        v.object({
          ref: v.string(),
          versions: v.nullish(v.array(v.object({ version: optionalText, status: optionalText }))),
        }),
      ),
    }),
  ),
})

type Affected = v.InferOutput<typeof DOCUMENT>['vulnerabilities'][number]['affects'][number]

/**
 * Vulnerabilities with an analysis. What they affect is named by a package URL, by a reference to a component of the document, or
 * by one of another document whose part after # is a package URL. Source: CycloneDX 1.4 and later, vulnerabilities.
 */
export function cycloneDxStatements(value: unknown, path: string): VexStatement[] {
  const { metadata, components, vulnerabilities } = checked(DOCUMENT, value, path)
  const urls = new Map<string, string>()
  collectUrls([...(metadata?.component ? [metadata.component] : []), ...components], urls)
  return vulnerabilities.flatMap(({ id, references, affects, analysis, updated }) => {
    if (!analysis?.state) return []
    return [
      {
        ids: given([id, ...references.map((one) => one.id)]),
        verdict: VERDICTS[analysis.state],
        products: productsOf(affects.flatMap((affected) => productOf(affected, urls, VERDICTS[analysis.state!]))),
        reason: reasonOf(analysis.justification, analysis.detail),
        author: metadata?.supplier?.name ?? undefined,
        time: timeOf(analysis.lastUpdated, updated, metadata?.timestamp),
      },
    ]
  })
}

/** The depth of the document is bounded. */
function collectUrls(components: readonly Component[], urls: Map<string, string>): void {
  for (const { 'bom-ref': ref, purl, components: below } of components) {
    if (typeof ref === 'string' && typeof purl === 'string') urls.set(ref, purl)
    collectUrls(below, urls)
  }
}

/**
 * Ranges of versions are not compared, so a statement that is about some suppresses nothing there, but one that leaves a vulnerability
 * open counts for all versions.
 */
function productOf({ ref, versions }: Affected, urls: ReadonlyMap<string, string>, verdict: Verdict): Product[] {
  const url = parsePurl(urls.get(ref)) ?? parsePurl(ref) ?? parsePurl(decoded(ref.slice(ref.indexOf('#') + 1)))
  if (!url) return []
  if (!versions) return [{ url }]
  const isOpen = verdict === 'open'
  if (isOpen && versions.some(({ version }) => !version)) return [{ url }]
  const other = isOpen ? 'unaffected' : 'affected'
  const meant = given(versions.map(({ version, status }) => (status === other ? undefined : version)))
  return url.version === undefined || meant.includes(url.version) ? [{ url, versions: meant }] : []
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
