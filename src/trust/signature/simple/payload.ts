import * as v from 'valibot'
import { type Descriptor, encodeDocument, parseStrictJson } from '#spec'
import { untrusted } from '../claim/index.ts'

/** What is signed. Source: cosign, SIGNATURE_SPEC.md, "Simple Signing"; containers-signature(5). */
export interface Payload {
  /** `registry.example/team/web`. Empty where the signer gave none. */
  reference: string
  digest: string
  /** Members of `optional` that are texts, and `timestamp` (seconds since 1970). */
  annotations: Record<string, string>
  created?: number
}

const TYPE = 'cosign container image signature'

const PAYLOAD = v.object({
  critical: v.object({
    identity: v.object({ 'docker-reference': v.string() }),
    image: v.object({ 'docker-manifest-digest': v.string() }),
    type: v.literal(TYPE),
  }),
  optional: v.nullish(v.record(v.string(), v.unknown())),
})

/** The bytes of a payload. The same parts give the same bytes. */
export function makePayload(
  { digest }: Descriptor,
  parts: { repository: string; annotations?: Readonly<Record<string, string>>; created?: number },
): Uint8Array {
  const optional = { ...parts.annotations, ...(parts.created !== undefined && { timestamp: parts.created }) }
  return encodeDocument({
    critical: {
      identity: { 'docker-reference': parts.repository },
      image: { 'docker-manifest-digest': digest },
      type: TYPE,
    },
    optional: Object.keys(optional).length > 0 ? optional : null,
  })
}

/** Reads a payload of cosign. Throws UNTRUSTED for anything else. */
export function readPayload(bytes: Uint8Array): Payload {
  const value = parseStrictJson(bytes, { limit: bytes.length, what: 'its payload', code: 'UNTRUSTED' })
  const { success, output, issues } = v.safeParse(PAYLOAD, value)
  if (!success) throw untrusted(`holds something other than a payload of cosign (${v.getDotPath(issues[0]) ?? 'type'})`)
  const { critical, optional } = output
  const entries = Object.entries(optional ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  const created = optional?.['timestamp']
  return {
    reference: critical.identity['docker-reference'],
    digest: critical.image['docker-manifest-digest'],
    annotations: Object.fromEntries(entries),
    ...(typeof created === 'number' && { created }),
  }
}
