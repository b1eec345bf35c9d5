import type { Platform } from '#spec'
import type { BuildScope } from '../instructions/index.ts'
import type { StagePlan } from './stages.ts'

/** Everything that the plan of a build depends on, except the base images. */
export interface PlanScope extends BuildScope {
  plan: StagePlan
  /** Of the result, and of base images unless FROM specifies another. */
  platform: Platform
  /** `--build-context`: places by name. They win over stages and images. */
  contexts: ReadonlyMap<string, string>
}
