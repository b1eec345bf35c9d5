import {
  type Descriptor,
  type Digest,
  type ImageManifest,
  isConfigType,
  isDefaultedConfigType,
  isIndexType,
  isManifestType,
  parseManifest,
} from '#spec'
import { imageLayers, type ReleaseFacts } from '../decide/index.ts'

/** What gates have to know of a document itself. */
export type ContentKind = ReleaseFacts['content'] | 'index'

/** Layers of what only says something of something else: signatures, attestations. Sources: cosign, in-toto, Notation. */
const PROOFS = new Set([
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dsse.envelope.v1+json',
  'application/vnd.in-toto+json',
  'application/vnd.cncf.notary.signature',
])

/** By the bytes: what a client would take them for, not what they call themselves. Of an index, also what it lists. */
export function contentOf(bytes: Uint8Array, mediaType: string): { kind: ContentKind; listed: readonly Digest[] } {
  const parsed = parseManifest(bytes, mediaType)
  if (parsed.kind === 'manifest') return { kind: kindOf(parsed.manifest), listed: [] }
  const isListed = ({ mediaType: type }: Descriptor) => isManifestType(type) || isIndexType(type)
  return { kind: 'index', listed: parsed.index.manifests.filter(isListed).map(({ digest }) => digest) }
}

/** With the config of an image, clients unpack whatever the layers call themselves: only signatures pass for what they say they are. */
function kindOf({ config, layers, subject }: ImageManifest): ReleaseFacts['content'] {
  if (imageLayers({ layers }).length > 0) return 'image'
  if (layers.length > 0 && layers.every(({ mediaType }) => PROOFS.has(mediaType))) return 'proof'
  if (isConfigType(config.mediaType) || isDefaultedConfigType(config.mediaType)) return 'image'
  return subject === undefined ? 'artifact' : 'proof'
}
