/** registry/policies: what its operators rule about tags. Promises: bad input is refused by name. Does not: enforce; meta does, in its transactions. */

export { createPolicies, type Policies } from './policies.ts'
export { removeUnkeptTags } from './retention.ts'
export { createTags, type Tags } from './tags.ts'
