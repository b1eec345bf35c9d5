/**
 * registry/policies: what its operators rule about tags and images, and limit. Promises: bad input is refused by name. Does not: enforce; meta does, in its
 * transactions, and the gate when something is pulled.
 */

export { createExceptions, type Exceptions, type NewException } from './exceptions.ts'
export type { GateRule } from './gate-rule.ts'
export { createImages, type Images } from './images.ts'
export { createPolicies, type Policies } from './policies.ts'
export {
  createPromotions,
  type MayDo,
  PROMOTION_REFUSALS,
  type PromoteOptions,
  type Promotion,
  type Promotions,
} from './promotion.ts'
export { createQuotas, type Quotas, type QuotaUse } from './quotas.ts'
export { createRenames, type Renames } from './renames.ts'
export { createReplications, type ReplicationFilter, type Replications } from './replications.ts'
export { removeUnkeptTags } from './retention.ts'
export { createScans, type ImageReport, type Scans } from './scans.ts'
export { createTags, type Tags } from './tags.ts'
