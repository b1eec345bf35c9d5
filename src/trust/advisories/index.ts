/**
 * trust/advisories: what is known of vulnerable packages. Promises: all sources become one model, that of OSV; what a
 * source does not know is told as missing coverage. Does not: know images.
 */

export {
  type Advisories,
  type Advisory,
  type Coverage,
  type FixState,
  SEVERITIES,
  type Severity,
} from './advisory.ts'
export { combineAdvisories } from './combine-advisories.ts'
export { modularName } from './modular-name.ts'
