import type { AuditEntry, AuditFilter, MetaStore } from '../meta/index.ts'

/** What was changed and refused, and by whom. */
export interface AuditLog {
  /** Newest first; those before the one with the ID `before`. */
  entries(filter?: AuditFilter & { before?: number }): AsyncIterable<AuditEntry>
}

const AT_ONCE = 500

export function createAuditLog(meta: MetaStore): AuditLog {
  return {
    async *entries({ before: start, ...filter } = {}) {
      for (let before = start; ; ) {
        const page = await meta.listAudit({ ...filter, before, limit: AT_ONCE })
        yield* page
        if (page.length < AT_ONCE) return
        before = page.at(-1)!.id
      }
    },
  }
}
