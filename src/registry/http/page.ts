import type { Page } from '../meta/index.ts'
import { Refusal } from './failure.ts'

const LARGEST_PAGE = 1000

/** Reads `n` and `last`. More than a thousand at once is never given (A03); nonsense is refused. */
export function pageOf(query: URLSearchParams): Required<Page> {
  const n = query.get('n')
  const last = query.get('last') ?? ''
  if (last.length > 512) throw new Refusal(400, 'UNSUPPORTED', 'last is too long')
  if (n === null) return { last, limit: LARGEST_PAGE }
  if (!/^\d{1,15}$/.test(n)) throw new Refusal(400, 'PAGINATION_NUMBER_INVALID', 'n is not a whole number')
  return { last, limit: Math.min(Number(n), LARGEST_PAGE) }
}

/** The Link header to the page after `last`. Source: RFC 5988, distribution-spec "Listing Tags". */
export function nextPage(path: string, parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value))
  return `<${path}?${query}>; rel="next"`
}
