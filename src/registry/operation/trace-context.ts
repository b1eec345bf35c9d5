import { randomBytes } from 'node:crypto'

/** The span of somebody else that a request is part of (W3C Trace Context). */
interface TraceParent {
  traceId: string
  spanId: string
  /** Whether it is recorded. */
  sampled: boolean
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NONE = /^0+$/

/** Reads a `traceparent` header (section 3.2); undefined for what is none. */
export function readTraceParent(header: unknown): TraceParent | undefined {
  const match = typeof header === 'string' ? PARENT.exec(header) : null
  if (!match) return undefined
  const [, version, traceId, spanId, flags, more] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ]
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (NONE.test(traceId) || NONE.test(spanId)) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export const newTraceId = () => newId(16)
export const newSpanId = () => newId(8)

function newId(bytes: number): string {
  const id = randomBytes(bytes).toString('hex')
  return NONE.test(id) ? newId(bytes) : id
}

/** Whether a trace is one of the `ratio` that are recorded: the same everywhere, since it is the ID that decides. */
export function isChosen(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52
}
