import { createLimiter, isBaleError, toldBy } from '#base'
import { oncePerBoot } from '#host'
import { readTextSync } from '#host/file'
import type { Container } from '../model/index.ts'
import { type Machinery, type SeenContainer, see, seeAll, updateState } from '../state/index.ts'
import { wantsRestart } from './finalize.ts'
import { startContainer } from './start.ts'
import { endGently, type StopOptions, settled } from './stop.ts'

/** A container and why it could not be started or stopped. */
interface PolicyFailure {
  id: string
  name: string
  error: unknown
}

/** What was done with several containers at once, and what failed. */
export interface PolicyResult {
  /** Names. */
  done: string[]
  failed: PolicyFailure[]
}

const AT_ONCE = 8

/**
 * Starts containers after a boot of the machine according to their restart policy: those that ran when it went down, those
 * that were waiting for their next attempt, and those that its shutdown has stopped; with `always` also those that somebody
 * stopped. Running ones are left alone, so this may be called at any time.
 */
export async function startByPolicy(machinery: Machinery): Promise<PolicyResult> {
  const bootTime = bootedAt()
  const wanted: Container[] = []
  for (const record of await machinery.records.containers.list())
    if (isWanted(await see(machinery, record), bootTime)) wanted.push(record)
  // Oldest first; one that joins another's namespace after that one.
  const [independent, dependent] = [wanted.filter((one) => !needsAnother(one)), wanted.filter(needsAnother)]
  const result: PolicyResult = { done: [], failed: [] }
  for (const group of [independent.reverse(), dependent.reverse()])
    await each(group, result, async ({ id }) => (await startContainer(machinery, id)).started)
  return result
}

function isWanted({ record, status, state }: SeenContainer, bootTime: number): boolean {
  const { host, state: recorded } = record.document
  const policy = host.restart?.name ?? 'no'
  if (policy === 'no' || status !== 'exited' || state.startedAt === undefined) return false
  if (recorded.status === 'restarting' || recorded.untilBoot) return true
  const byBoot = recorded.status === 'running' || (state.finishedAt ?? bootTime) < bootTime
  return byBoot && (policy === 'always' || wantsRestart(record, state))
}

function needsAnother({ document: { host } }: Container): boolean {
  return [host.network, host.pidMode, host.ipcMode].some((mode) => mode?.startsWith('container:'))
}

/**
 * Stops all containers gently before the machine is switched off, which would give them no time. `startByPolicy` starts
 * those with a restart policy again; nothing else does.
 */
export async function stopForShutdown(machinery: Machinery, options: StopOptions = {}): Promise<PolicyResult> {
  const result: PolicyResult = { done: [], failed: [] }
  const lives = (await seeAll(machinery)).filter(({ status }) => ['running', 'paused', 'restarting'].includes(status))
  const stop = async (seen: SeenContainer) => {
    const { record, status } = seen
    const { id } = record
    if ((record.document.host.restart?.name ?? 'no') !== 'no')
      await updateState(machinery, id, (state) => ({
        ...state,
        untilBoot: true,
        ...(status === 'restarting' && { status: 'exited' as const }),
      }))
    if (await endGently(machinery, seen, options)) await settled(machinery, id)
    return true
  }
  const seen = new Map(lives.map((one) => [one.record.id, one]))
  const records = lives.map(({ record }) => record)
  // All at once: it takes as long as the slowest.
  await each(records, result, ({ id }) => stop(seen.get(id)!), Math.max(records.length, 1))
  return result
}

async function each(
  records: readonly Container[],
  result: PolicyResult,
  act: (record: Container) => Promise<boolean>,
  atOnce = AT_ONCE,
): Promise<void> {
  const limited = createLimiter(atOnce)
  await Promise.all(
    records.map((record) =>
      limited(async () => {
        const { id, name } = record
        try {
          if (await act(record)) result.done.push(name)
        } catch (error) {
          if (!isBaleError(error, 'CONTAINER_NOT_FOUND')) result.failed.push({ id, name, error })
        }
      }),
    ),
  )
}

/** When the machine started, in milliseconds since 1970. Source: proc(5), /proc/stat. */
function bootedAt(): number {
  return Number(/^btime (\d+)$/m.exec(readTextSync('/proc/stat'))?.[1] ?? 0) * 1000
}

/** `startByPolicy` once after each boot, by the command that comes first; all others wait for it. */
export function startOnceAfterBoot(machinery: Machinery): Promise<PolicyResult | undefined> {
  const progress = toldBy(machinery.log)
  const what = 'the containers that another command starts after the boot'
  return oncePerBoot({ run: machinery.store.run, name: 'boot', progress, what }, () => startByPolicy(machinery))
}
