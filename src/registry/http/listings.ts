import { MediaType, parseDigest } from '#spec'
import { authorize, authorizeLogin } from './authorize.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'
import { nextPage, pageOf } from './page.ts'
import { newNameOf } from './renamed.ts'
import { sourceOf } from './upstream-route.ts'

/** GET of a repository's tags, in byte order. */
export async function listTags(
  context: RegistryContext,
  exchange: Exchange,
  { repository }: { repository: string },
): Promise<void> {
  await authorize(context, exchange, 'pull', repository)
  const { last, limit } = pageOf(exchange.query)
  const found = await tagsOf(context, repository, { last, limit: limit + 1 })
  if (!found) throw nameUnknown(repository)
  const tags = found.slice(0, limit)
  if (found.length > limit && limit > 0) {
    exchange.response.setHeader(
      'Link',
      nextPage(exchange.path, { n: limit, last: tags.at(-1), ...namespaceOf(exchange) }),
    )
  }
  sendJson(exchange, { name: exchange.asked ?? repository, tags })
}

function nameUnknown(repository: string): Refusal {
  return new Refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry', { detail: { name: repository } })
}

async function tagsOf(context: RegistryContext, repository: string, page: { last: string; limit: number }) {
  const source = sourceOf(context, { repository })
  return source ? await source.listTags(page) : await context.meta.listTags(repository, page)
}

/** The next page is of the same registry's repository. */
const namespaceOf = ({ query }: Exchange) => ({ ns: query.get('ns') ?? undefined })

/** Most bytes of one page of referrers: clients read an index of at most 4 MiB. */
const REFERRERS_BYTES = 3 * 1024 * 1024

/** GET of what refers to a digest, there or not. Pages are bounded in number and bytes (A18). */
export async function listReferrers(
  context: RegistryContext,
  exchange: Exchange,
  { repository, reference }: { repository: string; reference: string },
): Promise<void> {
  await authorize(context, exchange, 'pull', repository)
  const { query, response, path } = exchange
  const artifactType = query.get('artifactType') || undefined
  const { last, limit } = pageOf(query)
  const page = { last, limit: Math.max(1, limit), bytes: REFERRERS_BYTES, artifactType }
  const subject = parseDigest(reference)
  const source = sourceOf(context, { repository })
  const { descriptors, more } = source
    ? await source.listReferrers(subject, page)
    : await context.meta.listReferrers(repository, subject, page)
  // A name that nobody has is no refusal here: everything has a list of referrers.
  if (descriptors.length === 0 && exchange.asked === undefined && (await newNameOf(context, exchange, repository))) {
    throw nameUnknown(repository)
  }
  if (more) {
    const n = query.has('n') ? limit : undefined
    response.setHeader(
      'Link',
      nextPage(path, { n, artifactType, last: descriptors.at(-1)?.digest, ...namespaceOf(exchange) }),
    )
  }
  if (artifactType !== undefined) response.setHeader('OCI-Filters-Applied', 'artifactType')
  sendJson(exchange, { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: descriptors }, MediaType.ociIndex)
}

/** GET of the repositories that the caller may pull (A03): others' are neither named nor counted. */
export async function listRepositories(context: RegistryContext, exchange: Exchange): Promise<void> {
  const principal = authorizeLogin(context, exchange, 'registry:catalog:*')
  const { last, limit } = pageOf(exchange.query)
  const shown = context.access.readable(principal)
  const found = await context.meta.listRepositories({ last, limit: limit + 1, ...shown })
  const repositories = found.slice(0, limit)
  if (found.length > limit && limit > 0) {
    exchange.response.setHeader('Link', nextPage(exchange.path, { n: limit, last: repositories.at(-1) }))
  }
  sendJson(exchange, { repositories })
}

function sendJson({ request, response }: Exchange, value: unknown, type = 'application/json'): void {
  const body = JSON.stringify(value)
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}
