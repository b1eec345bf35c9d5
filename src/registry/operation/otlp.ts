import type { EndedSpan } from './tracer.ts'

/** Source: opentelemetry-proto, trace.proto, and its JSON mapping in the specification of OTLP: IDs in hex, 64 bits as texts. */
const KINDS = { server: 2, client: 3 } as const
const STATUS_ERROR = 2
const SAMPLED = 0x1
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200

type Value = string | number

/** Spans of one program as the document of an `ExportTraceServiceRequest`. */
export function otlpDocument(resource: Readonly<Record<string, Value>>, spans: readonly EndedSpan[]): string {
  const scopeSpans = [{ scope: { name: 'bale' }, spans: spans.map(spanOf) }]
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributesOf(resource) }, scopeSpans }] })
}

function spanOf({
  traceId,
  spanId,
  parentSpanId,
  remoteParent,
  name,
  kind,
  start,
  end,
  attributes,
  failed,
}: EndedSpan) {
  return {
    ...{ traceId, spanId, parentSpanId },
    flags: SAMPLED | HAS_IS_REMOTE | (remoteParent ? IS_REMOTE : 0),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(end),
    attributes: attributesOf(attributes),
    status: failed ? { code: STATUS_ERROR } : {},
  }
}

function attributesOf(attributes: Readonly<Record<string, Value | undefined>>) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: typeof value === 'string' ? { stringValue: value } : numberOf(value) }],
  )
}

const numberOf = (value: number) => (Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value })

/** A number does not have enough digits. */
function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds)
  return `${whole}${String(Math.floor((milliseconds - whole) * 1e6)).padStart(6, '0')}`
}
