import { randomUUID } from 'node:crypto'
import { matchesPattern } from '../pattern/index.ts'
import type { ChangeAction } from './change-action.ts'
import { type Sql, type SqlRow, text } from './sql.ts'

/** A change that hooks are told of. */
interface HookEvent {
  action: ChangeAction
  /** As in the audit log. */
  target: string
  /** Where it happened; undefined when it concerns no repository. */
  repository?: string
  data: object
}

/**
 * Notes a change for the hooks that want it, in the transaction that makes it: with that it is there to be delivered, or not at
 * all. All of them get it under one ID.
 */
export async function queueEvent(sql: Sql, event: HookEvent): Promise<void> {
  const { action, target, repository, data } = event
  const hooks = await sql.all('SELECT id, pattern, events FROM hooks WHERE active = 1 ORDER BY id')
  const eventId = randomUUID()
  for (const { id } of hooks.filter((hook) => wants(hook, action, repository))) {
    await sql.run(
      `INSERT INTO hook_deliveries (event_id, hook_id, action, target, data, at, state, attempts, due_at, queued_at)
       VALUES (?, ?, ?, ?, ?, now_ms(), 'pending', 0, now_ms(), now_ms())`,
      ...[eventId, text(id), action, target, JSON.stringify(data)],
    )
  }
}

/** What concerns no repository is for hooks of all repositories. */
function wants({ pattern, events }: SqlRow, action: string, repository: string | undefined): boolean {
  const fits = repository === undefined ? text(pattern) === '**' : matchesPattern(text(pattern), repository)
  return fits && (JSON.parse(text(events)) as string[]).some((event) => matchesPattern(event, action))
}
