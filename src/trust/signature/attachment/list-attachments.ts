import { mapLimited, type OperationOptions } from '#base'
import { artifactTypeOf, imagesOf, isAttestation, type ReadManifest, readManifest } from '#image'
import { type Descriptor, type Digest, isIndexType } from '#spec'
import { type AttachmentKind, kindOf } from './attachment-kind.ts'
import type { AttachmentSource } from './attachment-source.ts'
import { objectionTo } from './content-objection.ts'
import { attachmentTag, type TagSuffix, taggedManifest } from './tags.ts'

/** An image with what is attached to it, and to that in turn. */
export interface AttachmentTree {
  readonly subject: Descriptor
  readonly attached: readonly AttachmentNode[]
  /** Of an index: its images, each with what is attached to it. */
  readonly images: readonly AttachmentTree[]
  /** How many attachments were found and left out, here and below: more than 256 are not read. */
  readonly omitted: number
  /** Why its list of attachments could not be read: a registry that lists more than 10,000. */
  readonly problem?: string
}

/** Something attached. Nothing of it has been verified: anybody who may push can attach. */
export interface AttachmentNode {
  readonly descriptor: Descriptor
  readonly kind: AttachmentKind
  readonly artifactType: string
  /** Of an attestation, as its manifest says. */
  readonly predicateType?: string
  /** The tag of cosign that it was found by; undefined for a referrer, and for an attestation of BuildKit. */
  readonly tag?: string
  /** Of an attestation inside an index (BuildKit): the image of that index that it is about. */
  readonly about?: string
  readonly layers: readonly Descriptor[]
  readonly attached: readonly AttachmentNode[]
  /** Why it could not be read. */
  readonly problem?: string
}

const MOST_NODES = 256
const MOST_IMAGES = 64
/** A signature of an SBOM of an image is at the second level. */
const DEEPEST = 3
const AT_ONCE = 4

/** Finds what is attached to an image or index: referrers, tags of cosign, and attestations that BuildKit put into an index. */
export async function listAttachments(
  subject: Descriptor,
  source: AttachmentSource,
  options: OperationOptions = {},
): Promise<AttachmentTree> {
  return new Listing(source, options).tree(subject, true)
}

class Listing {
  readonly #source: AttachmentSource
  readonly #options: OperationOptions
  #left = MOST_NODES
  #omitted = 0

  constructor(source: AttachmentSource, options: OperationOptions) {
    this.#source = source
    this.#options = options
  }

  async tree(subject: Descriptor, withImages: boolean): Promise<AttachmentTree> {
    const before = this.#omitted
    const index = withImages && isIndexType(subject.mediaType) ? await this.#read(subject) : undefined
    const entries = index?.kind === 'index' ? index.index.manifests : []
    const tagged = await this.#listed(() => this.#tagged(subject.digest))
    const referring = await this.#listed(() => this.#referrers(subject.digest, DEEPEST))
    const problem = referring.problem ?? tagged.problem
    const inside = await this.#nodes(this.#take(entries.filter(isAttestation)), 0)
    const images: AttachmentTree[] = []
    const children = index?.kind === 'index' ? imagesOf(index.index) : []
    for (const image of children.slice(0, MOST_IMAGES)) images.push(await this.tree(image, false))
    this.#omitted += Math.max(0, children.length - MOST_IMAGES)
    return {
      subject,
      attached: [...tagged.nodes, ...referring.nodes, ...inside],
      images,
      omitted: this.#omitted - before,
      ...(problem && { problem }),
    }
  }

  async #listed(list: () => Promise<AttachmentNode[]>): Promise<{ nodes: AttachmentNode[]; problem?: string }> {
    try {
      return { nodes: await list() }
    } catch (error) {
      const problem = objectionTo(error)
      if (problem === undefined) throw error
      return { nodes: [], problem }
    }
  }

  async #tagged(subject: Digest): Promise<AttachmentNode[]> {
    const nodes = (['sig', 'att', 'sbom'] as const).map(async (suffix) => {
      const tag = attachmentTag(subject, suffix)
      const manifest = tag === undefined ? undefined : await taggedManifest(this.#source, tag, this.#options)
      return tag === undefined || manifest === undefined
        ? []
        : [this.#node(manifest.descriptor, manifest, { tag, suffix })]
    })
    return this.#take((await Promise.all(nodes)).flat())
  }

  async #referrers(subject: Digest, depth: number): Promise<AttachmentNode[]> {
    if (depth === 0 || this.#left === 0) return []
    return this.#nodes(this.#take(await this.#source.referrers(subject, this.#options)), depth - 1)
  }

  #nodes(descriptors: readonly Descriptor[], depth: number): Promise<AttachmentNode[]> {
    return mapLimited(descriptors, AT_ONCE, (descriptor) => this.#nodeOf(descriptor, depth), this.#options)
  }

  async #nodeOf(descriptor: Descriptor, depth: number): Promise<AttachmentNode> {
    try {
      const manifest = await readManifest(this.#source, descriptor, this.#options)
      return { ...this.#node(descriptor, manifest), attached: await this.#referrers(descriptor.digest, depth) }
    } catch (error) {
      const problem = objectionTo(error)
      if (problem === undefined) throw error
      return { ...this.#node(descriptor), problem }
    }
  }

  #node(descriptor: Descriptor, read?: ReadManifest, found?: { tag: string; suffix: TagSuffix }): AttachmentNode {
    const manifest = read?.kind === 'manifest' ? read.manifest : undefined
    const artifactType = manifest ? artifactTypeOf(manifest) : (descriptor.artifactType ?? descriptor.mediaType)
    const annotations = { ...descriptor.annotations, ...manifest?.annotations }
    const layers = manifest?.layers ?? []
    return {
      descriptor,
      ...kindOf({ artifactType, annotations, layers, suffix: found?.suffix }),
      artifactType,
      tag: found?.tag,
      about: descriptor.annotations?.['vnd.docker.reference.digest'],
      layers,
      attached: [],
    }
  }

  async #read(descriptor: Descriptor): Promise<ReadManifest> {
    return readManifest(this.#source, descriptor, this.#options)
  }

  /** As many as there is still room for. */
  #take<T>(found: readonly T[]): T[] {
    const taken = found.slice(0, this.#left)
    this.#left -= taken.length
    this.#omitted += found.length - taken.length
    return taken
  }
}
