import type { OperationOptions } from '#base'
import { streamOf } from '#blob'
import type { BuildMachine, BuildOptions, BuiltImage } from '#build'
import type { PackedEntry } from '#format/tar'
import { type ImageSource, type RawManifest, readManifest } from '#image'
import { type Descriptor, familiarName, type ImageName, writtenPlatform } from '#spec'
import {
  type AttestedIndex,
  attestedIndex,
  imageSubjects,
  inTotoStatement,
  type ProvenanceOptions,
  provenance,
  SPDX_PREDICATE,
} from '#trust/attestation'
import { spdx } from '#trust/sbom'
import { type AttestationDocument, attestedFiles } from './attested-files.ts'
import { compressedTarget } from './compressed-target.ts'
import type { EngineContext } from './context/context.ts'
import type { HeldImage } from './held-image.ts'
import { accountingMachine, type BuildAccount, provenanceFacts } from './provenance/index.ts'
import { packageVersion } from './version/index.ts'

/** What is said of an image when it is built. */
export interface AttestationOptions {
  /** Its packages, as a bill of materials in SPDX. */
  sbom?: boolean
  /** How it was built. */
  provenance?: ProvenanceRequest
}

/** Provenance, and where it goes. */
interface ProvenanceRequest extends ProvenanceOptions {
  /** Only with the image, not beside files. */
  inlineOnly?: boolean
  /** Beside files; `provenance.json` by default. */
  fileName?: string
}

/** What is said of a built image. */
export interface AttestedBuild {
  /** The image and its attestations; undefined when it was not asked for. */
  readonly index: RawManifest | undefined
  /** The store, with the index and what it lists. */
  source(store: ImageSource): ImageSource
  /** The files of the image, and the attestations as files. */
  files(built: BuiltImage): AsyncIterable<PackedEntry>
}

/** A build that has ended. */
interface EndedBuild {
  readonly built: BuiltImage
  readonly asked: BuildOptions
  readonly names: readonly ImageName[]
  /** The image is kept or written as one, and not its files alone. */
  readonly asImage: boolean
}

/** Makes attestations of what is built on its machine. */
interface Attester<M> {
  readonly machine: M
  attest(held: HeldImage, ended: EndedBuild, options: OperationOptions): Promise<AttestedBuild>
}

/** To be called before the build begins: what it takes from elsewhere is noted while it does. */
export function startAttestations<M extends BuildMachine>(
  context: EngineContext,
  machine: M,
  wanted: AttestationOptions,
): Attester<M> {
  const started = context.clock.now()
  const { machine: accounting, account } = accountingMachine(machine)
  return {
    machine: accounting,
    async attest(held, ended, { signal, progress }) {
      const begun = context.clock.now()
      progress?.({ ...STEP, state: 'start' })
      try {
        const attested = await attest({ context, wanted, started, account, ...ended }, held, { signal, progress })
        progress?.({ ...STEP, state: 'done', seconds: (context.clock.now() - begun) / 1000 })
        return attested
      } catch (error) {
        progress?.({ ...STEP, state: 'failed' })
        throw error
      }
    },
  }
}

const STEP = { kind: 'step', id: 'attestations', name: 'making the attestations of the image' } as const

interface Attesting extends EndedBuild {
  readonly context: EngineContext
  readonly wanted: AttestationOptions
  readonly account: BuildAccount
  /** Milliseconds since 1970. */
  readonly started: number
}

/**
 * For an image its layers are compressed first: the documents name the manifest that registries get, which a push must not
 * change any more.
 */
async function attest(run: Attesting, { stored, operation }: HeldImage, options: OperationOptions) {
  const { context, wanted, built, asImage } = run
  const store = await context.store()
  const manifest = asImage ? await compressedTarget(store, operation, stored.descriptor, options) : stored.descriptor
  const documents = [
    ...(wanted.sbom ? [await billOf(run, manifest, options)] : []),
    ...(wanted.provenance ? [await provenanceOf(run, manifest, wanted.provenance)] : []),
  ]
  const { sourceDateEpoch: epoch } = built.record
  const made = epoch === undefined ? context.clock.now() : epoch * 1000
  const index = asImage ? indexOf(run, manifest, documents) : undefined
  return {
    index,
    source: (base: ImageSource) => withIndex(base, index),
    files: (of: BuiltImage) => attestedFiles(of, documents, made),
  }
}

function withIndex(store: ImageSource, index: AttestedIndex | undefined): ImageSource {
  const parts = index ? [index, ...index.manifests, ...index.blobs] : []
  const own = new Map(parts.map(({ descriptor, bytes }) => [descriptor.digest, bytes]))
  return {
    resolve: (name, options) => store.resolve(name, options),
    manifest: async (descriptor, options) => own.get(descriptor.digest) ?? store.manifest(descriptor, options),
    async blob(descriptor, options) {
      const bytes = own.get(descriptor.digest)
      return bytes ? streamOf(bytes.subarray(options?.offset ?? 0)) : store.blob(descriptor, options)
    },
  }
}

function indexOf(
  { built, names }: Attesting,
  manifest: Descriptor,
  documents: readonly AttestationDocument[],
): AttestedIndex {
  const platform = writtenPlatform(built.image.config)
  const subjects = imageSubjects(names, platform, manifest.digest)
  const statements = documents.map((document) => inTotoStatement(document, subjects))
  return attestedIndex([{ descriptor: manifest, platform, statements }])
}

/** The packages of the image, as `scan` would find them. It is as old as the image, so that the same image has the same one. */
async function billOf(
  { context, built, names }: Attesting,
  manifest: Descriptor,
  options: OperationOptions,
): Promise<AttestationDocument> {
  const [{ openImage }, { inventoryOf }] = await Promise.all([
    import('./trust/image-place.ts'),
    import('./trust/scan.ts'),
  ])
  await using opened = await openImage(context, manifest.digest, options)
  const inventory = await inventoryOf(context, opened, options)
  for (const { where, reason } of inventory.gaps)
    options.progress?.({ kind: 'warning', text: `the bill of materials is partial: ${where}: ${reason}` })
  const predicate = await spdx(inventory, {
    name: names[0] ? familiarName(names[0]) : opened.name,
    reference: names[0],
    version: packageVersion(),
    created: new Date(built.image.config.created ?? 0),
  })
  return { predicateType: SPDX_PREDICATE, predicate, fileName: 'sbom.spdx.json', inlineOnly: false }
}

async function provenanceOf(
  run: Attesting,
  manifest: Descriptor,
  { fileName = 'provenance.json', inlineOnly = false, ...options }: ProvenanceRequest,
): Promise<AttestationDocument> {
  const { context } = run
  const read = await readManifest(await context.store(), manifest)
  const layers = read.kind === 'manifest' ? read.manifest.layers : []
  const facts = provenanceFacts({ ...run, layers, finished: context.clock.now(), platform: context.platform })
  return { ...provenance(facts, options), fileName, inlineOnly }
}
