import type { BaleError } from '#base'
import { type ContentFacts, objectionToContent } from './content.ts'
import { objectionToPlace, type PlaceFacts } from './places.ts'
import { type GrowthFacts, objectionToGrowth } from './quotas.ts'
import { judgeRelease, type Release, type ReleaseFacts } from './release.ts'
import {
  type Action,
  type AdministrationFacts,
  type Caller,
  decideAdministration,
  decideInRepository,
  type RepositoryFacts,
  type RightsDecision,
} from './rights.ts'
import { type ExpiryFacts, isKept, objectionToMove, type TagFacts } from './tags.ts'

/** What holds for everybody, whatever the rights. */
interface Rules {
  /** Something of this registry's own comes into a repository, or a repository is to be called so. */
  place: PlaceFacts
  /** A manifest comes into a repository. */
  store: ContentFacts
  /** A tag is to point to something else, or is removed. */
  retag: TagFacts
  /** A repository grows, and what is above it. */
  grow: GrowthFacts
}

/**
 * The only place where a right, a policy or a quota is judged, by what the facts say at this moment. Rights are about a caller;
 * rules hold for everybody, and what they forbid comes with the reason. Facts that need no looking at are not asked for.
 */
export async function decide(caller: Caller, action: Action, facts: RepositoryFacts): Promise<RightsDecision>
export async function decide(caller: Caller, action: 'administer', facts: AdministrationFacts): Promise<RightsDecision>
export async function decide<Name extends keyof Rules>(
  subject: 'anyone',
  action: Name,
  facts: Rules[Name],
): Promise<BaleError | undefined>
/** A tag that nobody pushes any more. */
export async function decide(subject: 'anyone', action: 'expire', facts: ExpiryFacts): Promise<'kept' | 'removed'>
/** A manifest that is to be given out. */
export async function decide(subject: 'anyone', action: 'release', facts: ReleaseFacts): Promise<Release>
export async function decide(subject: Caller | 'anyone', action: string, facts: unknown): Promise<unknown> {
  if (subject !== 'anyone') {
    if (action === 'administer') return await decideAdministration(subject, facts as AdministrationFacts)
    return await decideInRepository(subject, action as Action, facts as RepositoryFacts)
  }
  if (action === 'place') return objectionToPlace(facts as PlaceFacts)
  if (action === 'store') return await objectionToContent(facts as ContentFacts)
  if (action === 'retag') return objectionToMove(facts as TagFacts)
  if (action === 'release') return await judgeRelease(facts as ReleaseFacts)
  if (action === 'grow') return objectionToGrowth(facts as GrowthFacts)
  return isKept(facts as ExpiryFacts) ? 'kept' : 'removed'
}
