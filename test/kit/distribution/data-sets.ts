import { blobOf } from './content.ts'
import {
  addArtifact,
  addImage,
  addIndex,
  addLayer,
  type DataSet,
  type Descriptor,
  dataSet,
  randomText,
  type SetOptions,
} from './data-set.ts'
import { Media } from './media-types.ts'

interface Kind extends SetOptions {
  name: string
  fill(set: DataSet): void
}

const KINDS: readonly Kind[] = [
  // Upper case and signs, so that the order of tags is one of the two that are allowed.
  { name: 'image', fill: (set) => addImage(set, { tags: ['image', 'Image-2', 'image.1', '10', '9'] }) },
  {
    name: 'image-uncompressed',
    fill(set) {
      const layers = [addLayer(set, Media.layer), addLayer(set, Media.layer)]
      addImage(set, { layers, tags: ['image-uncompressed'] })
    },
  },
  {
    name: 'large-manifest',
    fill: (set) => addImage(set, { annotations: largeAnnotations(), tags: ['large-manifest'] }),
  },
  { name: 'index', fill: (set) => addIndex(set, twoImages(set), { tags: ['index'] }) },
  {
    name: 'nested-index',
    fill(set) {
      const inner = [addIndex(set, twoImages(set)), addIndex(set, twoImages(set))]
      addIndex(set, inner, { tags: ['index-of-index'] })
    },
  },
  { name: 'empty-index', fill: (set) => addIndex(set, [], { annotations: unique(), tags: ['empty-index'] }) },
  { name: 'artifact', fill: (set) => addArtifact(set, Media.report, { tags: ['artifact'] }) },
  {
    name: 'artifact-index',
    fill(set) {
      const manifests = [addArtifact(set, Media.report), addArtifact(set, Media.report)]
      addIndex(set, manifests, { artifactType: Media.report, tags: ['artifact-index'] })
    },
  },
  {
    name: 'artifact-without-layers',
    fill: (set) => addArtifact(set, Media.report, { content: false, annotations: unique(), tags: ['without-layers'] }),
  },
  {
    name: 'artifacts-with-subject',
    fill(set) {
      const subject = addImage(set, { tags: ['image'] })
      addImage(set, { subject })
      addArtifact(set, Media.report, { subject, annotations: unique(), tags: ['report'] })
      addArtifact(set, Media.signature, { subject, annotations: unique(), tags: ['signature'] })
    },
  },
  {
    name: 'index-with-subject',
    fill(set) {
      const subject = addIndex(set, twoImages(set), { tags: ['index'] })
      const manifests = [addArtifact(set, Media.report, { subject }), addArtifact(set, Media.report, { subject })]
      addIndex(set, manifests, { subject, artifactType: Media.report, annotations: unique(), tags: ['report'] })
      addIndex(set, [], { subject, annotations: unique() })
    },
  },
  {
    name: 'missing-subject',
    fill(set) {
      const { digest } = blobOf(randomText())
      const subject = { mediaType: Media.manifest, digest, size: 123 }
      addArtifact(set, Media.report, { subject, annotations: unique(), tags: ['report'] })
    },
  },
  { name: 'data-field', fill: (set) => addImage(set, { data: true, tags: ['data-field'] }) },
  {
    name: 'non-distributable-layers',
    fill(set) {
      const layers = [elsewhere(Media.foreignGzipLayer), elsewhere(Media.foreignLayer), addLayer(set)]
      addImage(set, { layers, tags: ['non-distributable'] })
    },
  },
  {
    name: 'custom-fields',
    fill: (set) => addIndex(set, twoImages(set, { custom: true }), { custom: true, tags: ['custom-fields'] }),
  },
  { name: 'no-layers', fill: (set) => addImage(set, { layers: [], tags: ['no-layers'] }) },
  // A push by tag says nothing of the algorithm, so there are no tags.
  { name: 'sha512', algorithm: 'sha512', fill: (set) => addIndex(set, twoImages(set)) },
  { name: 'tag-param-sha256', tagParameters: true, fill: fillTagged },
  { name: 'tag-param-sha512', tagParameters: true, algorithm: 'sha512', fill: fillTagged },
]

/** A set of each kind, of content that no registry has seen. */
export function dataSets(): DataSet[] {
  return KINDS.map(({ name, fill, ...options }) => dataSet(name, fill, options))
}

function twoImages(set: DataSet, options: { custom?: boolean } = {}): Descriptor[] {
  return ['amd64', 'arm64'].map((architecture) => addImage(set, { ...options, architecture }))
}

/** Ten tags in one request, which a registry should take. */
function fillTagged(set: DataSet): void {
  const manifests = ['amd64', 'arm64'].map((architecture) => addImage(set, { architecture, tags: [architecture] }))
  addIndex(set, manifests, { tags: Array.from({ length: 10 }, (_, index) => `tag-${index}`) })
}

/** 3.9 MB: a registry should take manifests of four megabytes. */
function largeAnnotations(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 390 }, (_, index) => [`large-${index}`, 'A'.repeat(10_000)]))
}

function unique(): Record<string, string> {
  return { 'org.example.conformance': randomText() }
}

/** A layer that is not in the registry. */
function elsewhere(mediaType: string): Descriptor {
  const { digest } = blobOf(randomText())
  return { mediaType, digest, size: 12345, urls: [`https://layers.example.com/${digest}`] }
}
