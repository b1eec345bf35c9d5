import { BaleError, printable } from '#base'
import type { Quota, Usage } from '../decide/index.ts'
import type { MetaStore } from '../meta/index.ts'
import { checkPattern } from '../pattern/index.ts'

/** Limits of repositories, and what is in them. */
export interface Quotas {
  /**
   * Sets or replaces the limits of a repository (`acme/web`), of all below a name (`acme/**`), or of all (`**`). Nothing that is
   * there is removed. INVALID_ARGUMENT for other patterns and for what is no limit.
   */
  set(scope: string, limits: Partial<Usage>): Promise<void>
  /** NOT_FOUND when it has none. */
  remove(scope: string): Promise<void>
  /** By their scopes, with what is used at this moment: of all, or of what is below an organisation or user. */
  list(owner?: string): Promise<QuotaUse[]>
}

/** A quota and what is used of it. */
export interface QuotaUse {
  scope: string
  limits: Partial<Usage>
  used: Usage
}

export function createQuotas(meta: MetaStore): Quotas {
  return {
    async set(scope, limits) {
      checkScope(scope)
      const { bytes, tags, repositories } = limits
      if (bytes === undefined && tags === undefined && repositories === undefined) {
        throw new BaleError('INVALID_ARGUMENT', `no limit is given for ${scope}`, {
          hint: 'limit bytes, tags or repositories',
        })
      }
      for (const [kind, limit] of Object.entries({ bytes, tags, repositories })) checkLimit(kind, limit)
      await meta.setQuota({ scope, bytes, tags, repositories })
    },
    async remove(scope) {
      if (await meta.setQuota({ scope })) return
      throw new BaleError('NOT_FOUND', `${printable(scope, 255)} has no quota`, {
        next: { act: 'list-registry-quotas' },
      })
    },
    async list(owner) {
      const quotas: QuotaUse[] = []
      for (const quota of await meta.listQuotas()) {
        if (owner === undefined || quota.scope.startsWith(`${owner}/`)) quotas.push(await withUse(meta, quota))
      }
      return quotas
    },
  }
}

async function withUse(meta: MetaStore, { scope, ...limits }: Quota): Promise<QuotaUse> {
  return { scope, limits, used: await meta.usage(scope) }
}

/** What is counted: stars are at the end alone, and stand for all below a name. */
function checkScope(scope: string): void {
  checkPattern(scope)
  if (/^(?:[^*]+|(?:[^*]+\/)?\*\*)$/.test(scope) && !/\/$|^\//.test(scope)) return
  throw new BaleError('INVALID_ARGUMENT', `quotas are not counted for ${scope}`, {
    hint: 'give a repository (acme/web), all below a name (acme/**), or ** for all',
  })
}

function checkLimit(kind: string, limit: number | undefined): void {
  if (limit === undefined || (Number.isSafeInteger(limit) && limit >= 0)) return
  throw new BaleError('INVALID_ARGUMENT', `not a limit of ${kind}: ${limit}`)
}
