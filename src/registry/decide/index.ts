/**
 * registry/decide: the only place where a right, a policy or a quota is judged. Promises: a judgement follows from the facts
 * alone. Does not: read a database, or know how a refusal is answered.
 */
export { type Chain, imageLayers } from './content.ts'
export { decide } from './decide.ts'
export { limitsOn, type Quota, USAGE_KINDS, type Usage, type UsageKind } from './quotas.ts'
export {
  fits,
  type GateFinding,
  type Release,
  type ReleaseFacts,
  type ScanFacts,
  type StoredGate,
} from './release.ts'
export {
  ACTIONS,
  type Action,
  type Administered,
  type AnonymousAccess,
  API_SCOPE,
  administeredBy,
  type Caller,
  type Grant,
  type Readable,
  type RightsDecision,
  ROLES,
  type Role,
  readableBy,
  type Scope,
} from './rights.ts'
export type {
  BaseImages,
  ContentTypes,
  GateAct,
  ImmutableTags,
  KeptTags,
  ReleaseGate,
  Rule,
  TagPolicy,
} from './rules.ts'
export { retentionOf } from './tags.ts'
