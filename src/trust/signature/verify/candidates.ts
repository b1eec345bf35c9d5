import { mapLimited, type OperationOptions } from '#base'
import { artifactTypeOf, type ReadManifest, readManifest } from '#image'
import { type Descriptor, type Digest, type ImageManifest, isManifestType } from '#spec'
import {
  ArtifactType,
  type AttachmentSource,
  attachmentTag,
  isBundleType,
  objectionTo,
  SIGNATURE_PREDICATE,
  taggedManifest,
} from '../attachment/index.ts'
import { ATTESTATION_LIMIT, SIGNATURE_LIMIT, verifyBundle, verifyEnvelope } from '../bundle/index.ts'
import { type Claim, untrusted, type VerificationContext } from '../claim/index.ts'
import { verifyNotation } from '../notation/index.ts'
import { verifySimple } from '../simple/index.ts'

/** How a signature is written down. */
export type SignatureForm = 'bundle' | 'simple' | 'envelope' | 'notation'

/** Something attached that may be a signature of the wanted kind. */
export interface Candidate {
  form: SignatureForm
  /** The manifest that it is in. */
  attachment: Digest
  layer: Descriptor
  /** Most bytes of the layer. */
  limit: number
  verify(bytes: Uint8Array, context: VerificationContext): Claim | Promise<Claim>
}

/** Why something attached does not count, or is not looked at. */
export interface RefusedSignature {
  form?: SignatureForm
  /** Undefined when the reason is about several, or about the list of attachments. */
  attachment?: Digest
  /** Said of the signature: `was made for registry.example/a, not for registry.example/b`. */
  reason: string
}

/** Whoever may push can attach: of more than these the rest is left out, and counts as not there. */
const MOST = 128
const AT_ONCE = 4

/** What is attached to the image and may be what is asked for, with reasons for what cannot be. */
export async function findCandidates(
  source: AttachmentSource,
  { subject, requirements: { predicateType } }: VerificationContext,
  options: OperationOptions,
): Promise<{ candidates: Candidate[]; refused: RefusedSignature[] }> {
  const refused: RefusedSignature[] = []
  const wanted = predicateType ?? SIGNATURE_PREDICATE
  const referring = await read(refused, {}, () => source.referrers(subject.digest, options))
  const relevant = (referring ?? []).filter((one) => mayBe(one, wanted))
  const manifests = await mapLimited(
    relevant.slice(0, MOST),
    AT_ONCE,
    (descriptor, { signal }) =>
      read(refused, { attachment: descriptor.digest }, () => readManifest(source, descriptor, { ...options, signal })),
    options,
  )
  const tag = attachmentTag(subject.digest, predicateType === undefined ? 'sig' : 'att')
  const tagged = tag && (await read(refused, {}, () => taggedManifest(source, tag, options)))
  const found: Candidate[] = []
  for (const manifest of [tagged, ...manifests]) {
    if (!manifest) continue
    const attachment = manifest.descriptor.digest
    found.push(...((await read(refused, { attachment }, async () => candidatesIn(manifest, wanted))) ?? []))
  }
  const omitted = Math.max(0, relevant.length - MOST) + Math.max(0, found.length - MOST)
  if (omitted > 0) refused.push({ reason: `${omitted} more are attached and were not looked at: at most ${MOST} are` })
  return { candidates: found.slice(0, MOST), refused }
}

/** What a reading gives; undefined, with the reason noted, when what is read is at fault. */
export async function read<T>(
  refused: RefusedSignature[],
  about: Omit<RefusedSignature, 'reason'>,
  reading: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await reading()
  } catch (error) {
    const reason = objectionTo(error)
    if (reason === undefined) throw error
    refused.push({ ...about, reason })
    return undefined
  }
}

/** By what the list says, which may leave much out. */
function mayBe({ mediaType, artifactType, annotations = {} }: Descriptor, wanted: string): boolean {
  if (!isManifestType(mediaType)) return false
  if (artifactType === undefined) return true
  if (isBundleType(artifactType)) return (annotations['dev.sigstore.bundle.predicateType'] ?? wanted) === wanted
  const isOther = artifactType === ArtifactType.notation || artifactType === ArtifactType.cosignSignature
  return isOther && wanted === SIGNATURE_PREDICATE
}

function candidatesIn(read: ReadManifest, wanted: string): Candidate[] {
  if (read.kind === 'index') return []
  const { manifest, descriptor } = read
  const attachment = descriptor.digest
  const isAttestation = wanted !== SIGNATURE_PREDICATE
  const limit = isAttestation ? ATTESTATION_LIMIT : SIGNATURE_LIMIT
  const type = artifactTypeOf(manifest)
  if (isBundleType(type)) {
    return [{ form: 'bundle', attachment, layer: theLayer(manifest, isBundleType), limit, verify: verifyBundle }]
  }
  if (type === ArtifactType.notation) return isAttestation ? [] : [notation(manifest, attachment)]
  return manifest.layers.flatMap((layer): Candidate[] => {
    const of = { attachment, layer, limit }
    if (isAttestation && layer.mediaType === ArtifactType.dsseEnvelope)
      return [{ ...of, form: 'envelope', verify: verifyEnvelope }]
    if (!isAttestation && layer.mediaType === ArtifactType.simpleSigning)
      return [{ ...of, form: 'simple', verify: (bytes, context) => verifySimple(layer, bytes, context) }]
    return []
  })
}

function notation(manifest: ImageManifest, attachment: Digest): Candidate {
  const layer = theLayer(manifest, (type) => type === ArtifactType.notationJws || type === ArtifactType.notationCose)
  if (layer.mediaType === ArtifactType.notationCose)
    throw untrusted('is a Notation signature in COSE, which is not read')
  return {
    ...{ form: 'notation', attachment, layer, limit: SIGNATURE_LIMIT },
    verify: (bytes, context) => verifyNotation(bytes, SIGNATURE_LIMIT, context),
  }
}

function theLayer({ layers }: ImageManifest, fits: (mediaType: string) => boolean): Descriptor {
  const [layer] = layers
  if (layer !== undefined && layers.length === 1 && fits(layer.mediaType)) return layer
  throw untrusted('has a manifest that does not hold one signature')
}
