import type { HttpAnswer } from './http-answer.ts'

/** What is here of a URL from an earlier time, and how its server named that state. */
export interface EarlierCopy {
  /** Bytes that are here, without any Content-Encoding. */
  bytes: number
  /** False: the download of it was cut, and the rest is wanted. */
  complete: boolean
  /** As the server sent them. A copy that has neither is of no use, and the whole file is fetched. */
  etag?: string
  lastModified?: string
}

/**
 * How the body belongs to the earlier copy. `whole`: it replaces it. `rest`: it continues it. `unchanged`: the
 * complete copy is what the server has; the body is empty.
 */
export type FetchOutcome = 'whole' | 'rest' | 'unchanged'

/** Source: RFC 9110 sections 13.1 and 14.2. A download that may be resumed must not be encoded: offsets are of its own bytes. */
export function headersForCopy(copy: EarlierCopy): Record<string, string> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' }
  const { etag, lastModified } = copy
  if (copy.complete) {
    if (etag) headers['if-none-match'] = etag
    else if (lastModified) headers['if-modified-since'] = lastModified
  } else if (copy.bytes > 0) {
    const validator = isStrong(etag) ? etag : lastModified
    if (validator) Object.assign(headers, { range: `bytes=${copy.bytes}-`, 'if-range': validator })
  }
  return headers
}

/** Undefined for an answer that does not fit the question: the whole file is then to be asked for. */
export function outcomeOf(answer: HttpAnswer, copy: EarlierCopy | undefined): FetchOutcome | undefined {
  if (!copy || (copy.bytes === 0 && !copy.complete)) return 'whole'
  if (answer.status === 304) return copy.complete ? 'unchanged' : undefined
  if (answer.status === 206) return continues(answer, copy) ? 'rest' : undefined
  return answer.status === 416 ? undefined : 'whole'
}

function continues({ headers }: HttpAnswer, { bytes, complete, etag }: EarlierCopy): boolean {
  const range = /^bytes (\d{1,16})-/.exec(headers['content-range'] ?? '')
  if (complete || !range || Number(range[1]) !== bytes) return false
  const now = headers['etag']
  return headers['content-encoding'] === undefined && (now === undefined || etag === undefined || now === etag)
}

function isStrong(etag: string | undefined): etag is string {
  return etag?.startsWith('"') ?? false
}
