/** What may be in repositories, judged in the transaction that would store it. */
import { BaleError } from '#base'
import { isIndexType, isManifestType, type ParsedManifest, parseManifest } from '#spec'
import { type Chain, type Chains, chainsOf, imageLayers, parseBase } from './base-images.ts'
import { matchesPattern } from './pattern.ts'
import { type Sql, text } from './sql.ts'
import { type BaseImages, type ContentTypes, readPolicies } from './tag-policies.ts'

type Policy = (ContentTypes | BaseImages) & { id: number }

/** Throws POLICY_VIOLATED when a policy does not admit a manifest to the repository. */
export async function judgeContent(
  sql: Sql,
  repository: string,
  { bytes, mediaType }: { bytes: Uint8Array; mediaType: string },
): Promise<void> {
  const policies = (await readPolicies(sql)).filter(
    (policy) => (policy.kind === 'types' || policy.kind === 'base') && matchesPattern(policy.pattern, repository),
  ) as Policy[]
  if (policies.length === 0) return
  const parsed = parseManifest(bytes, mediaType)
  for (const policy of policies) {
    const objection =
      policy.kind === 'types' ? objectionToTypes(policy, parsed) : await objectionToBase(sql, policy, parsed)
    if (!objection) continue
    throw new BaleError('POLICY_VIOLATED', `policy ${policy.id} of ${policy.pattern} ${objection}`, {
      details: { repository, policy: policy.id, pattern: policy.pattern },
    })
  }
}

function objectionToTypes({ allow, block }: ContentTypes, parsed: ParsedManifest): string | undefined {
  for (const type of typesOf(parsed)) {
    if (isOneOf(block, type)) return `blocks the media type ${type}`
    if (allow.length > 0 && !isOneOf(allow, type)) return `does not allow the media type ${type}`
  }
  return undefined
}

const isOneOf = (globs: readonly string[], type: string) =>
  globs.some((glob) => matchesPattern(glob.replaceAll('*', '**').toLowerCase(), type.toLowerCase()))

/** Of the document, its artifact, its config and its layers. What an index lists was judged when it was pushed itself. */
function typesOf(parsed: ParsedManifest): Set<string> {
  const document = parsed.kind === 'index' ? parsed.index : parsed.manifest
  const parts = parsed.kind === 'index' ? parsed.index.manifests : [parsed.manifest.config, ...parsed.manifest.layers]
  const own = parts
    .map((part) => part.mediaType)
    .filter((type) => parsed.kind === 'manifest' || !(isManifestType(type) || isIndexType(type)))
  return new Set([document.mediaType, ...(document.artifactType === undefined ? [] : [document.artifactType]), ...own])
}

async function objectionToBase(
  sql: Sql,
  policy: BaseImages & { id: number },
  parsed: ParsedManifest,
): Promise<string | undefined> {
  const layers = parsed.kind === 'manifest' ? imageLayers(parsed.manifest) : []
  if (layers.length === 0) return undefined
  const known = await knownChains(sql, policy.id)
  for (const base of policy.block) {
    if (await isBasedOn(sql, { base, layers, known })) return `blocks images based on ${base}`
  }
  if (policy.allow.length === 0) return undefined
  for (const base of policy.allow) if (await isBasedOn(sql, { base, layers, known })) return undefined
  return `allows images based on ${policy.allow.join(' or ')} alone`
}

/** A tag is what it points to now. What is gone is what it was when the policy was made. */
async function isBasedOn(
  sql: Sql,
  { base, layers, known }: { base: string; layers: Chain; known: Chains },
): Promise<boolean> {
  const now = 'tag' in parseBase(base) ? await chainsOf(sql, base) : []
  const chains = now.length > 0 ? now : (known[base] ?? [])
  return chains.some((chain) => chain.every((digest, index) => layers[index] === digest))
}

async function knownChains(sql: Sql, id: number): Promise<Chains> {
  const row = await sql.get('SELECT rule FROM tag_policies WHERE id = ?', id)
  return row ? (JSON.parse(text(row['rule'])) as { chains: Chains }).chains : {}
}
