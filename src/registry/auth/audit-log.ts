import type { AuditEntry, AuditFilter, MetaStore } from '../meta/index.ts'

/** What was changed and refused, and by whom. */
export interface AuditLog {
  /** Newest first. */
  entries(filter?: AuditFilter): AsyncIterable<AuditEntry>
}

const AT_ONCE = 500

export function createAuditLog(meta: MetaStore): AuditLog {
  return {
    async *entries(filter = {}) {
      for (let before: number | undefined; ; ) {
        const page = await meta.listAudit({ ...filter, before, limit: AT_ONCE })
        yield* page
        if (page.length < AT_ONCE) return
        before = page.at(-1)!.id
      }
    },
  }
}
