import type { Administration } from './api/index.ts'
import { createAccounts } from './auth/index.ts'
import type { Gate } from './gate/index.ts'
import type { MetaStore } from './meta/index.ts'
import {
  createExceptions,
  createImages,
  createPolicies,
  createPromotions,
  createQuotas,
  createRenames,
  createReplications,
  createScans,
  createTags,
  type MayDo,
} from './policies/index.ts'

/** Who administers: who sets tags back, as histories have it, and what it may do with images. */
export interface AdministrationCaller {
  actor: string
  may: MayDo
}

/** Accounts, rules, names and images; for the operator without a caller. `prefixes` are those of upstreams. */
export function administrationOf(
  meta: MetaStore,
  {
    lease,
    prefixes,
    gate,
    actor,
    may,
  }: { lease: number; prefixes: readonly string[]; gate: Gate } & Partial<AdministrationCaller>,
): Omit<Administration, 'collectGarbage' | 'hooks'> {
  return {
    ...createAccounts(meta),
    policies: createPolicies(meta),
    exceptions: createExceptions(meta),
    scans: createScans(meta, { may, gate }),
    images: createImages(meta),
    tags: createTags(meta, actor),
    quotas: createQuotas(meta),
    promotions: createPromotions(meta, { lease, may, prefixes, gate }),
    renames: createRenames(meta, { prefixes }),
    replications: createReplications(meta),
  }
}
