/**
 * trust/attestation: what a build says of its image, in the layout that BuildKit writes and `docker buildx imagetools` reads:
 * statements of in-toto in a manifest beside the image, both in one index. Promises: pure; the same facts give the same bytes;
 * nothing of a build's arguments, labels or secrets is in provenance of the mode `min`. Does not: build, look at images,
 * sign, or read the attestations of others.
 */
export { type AttestedIndex, attestedIndex } from './attested-index.ts'
export type { BuildStep } from './build-definition.ts'
export { imageSubjects } from './image-subjects.ts'
export {
  type BuildRequest,
  type Material,
  type ProvenanceFacts,
  type ProvenanceOptions,
  provenance,
} from './provenance.ts'
export { inTotoStatement, type Predicate, SPDX_PREDICATE } from './statement.ts'
