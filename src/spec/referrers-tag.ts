import { algorithmOf, type Digest, hexOf } from './digest.ts'

/**
 * The tag that lists referrers where a registry has no API for them: `sha256-…`. Source: distribution-spec, "Referrers Tag Schema"; a
 * digest is cut to 64 characters.
 */
export function referrersTag(subject: Digest): string {
  return `${algorithmOf(subject)}-${hexOf(subject).slice(0, 64)}`
}
