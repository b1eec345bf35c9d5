import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createLimiter, errnoOf, isBaleError, toldBy } from '#base'
import { acquireLock, readText, readTextSync, writeFileAtomic } from '#host/file'
import type { Container } from '../model/index.ts'
import { type Machinery, type SeenContainer, see, seeAll, updateState } from '../state/index.ts'
import { wantsRestart } from './finalize.ts'
import { startContainer } from './start.ts'
import { endGently, type StopOptions, settled } from './stop.ts'

/** Container and why it could not be started or stopped. */
export interface PolicyFailure {
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
 * Starts the containers that their restart policy wants up after a boot of the machine: those that ran when it went down,
 * those that wait for an attempt nobody will make any more, and those that the machine's end has stopped; with `always`
 * also those that somebody stopped. What runs is left alone, so this may be called at any time.
 */
export async function startByPolicy(machinery: Machinery): Promise<PolicyResult> {
  const bootTime = bootedAt()
  const wanted: Container[] = []
  for (const record of await machinery.records.containers.list())
    if (isWanted(await see(machinery, record), bootTime)) wanted.push(record)
  // Oldest first; who lives in another's namespace needs that one before.
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
 * Stops all containers gently, for the end of the machine, which itself would give them no time. `startByPolicy` starts
 * again those with a restart policy; nothing else does.
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
  // All at once: the slowest alone says how long it takes.
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

/**
 * `startByPolicy` once after each boot, by whoever comes first; all others wait for it. A run directory that was made
 * anew is taken for a boot, too.
 */
export async function startOnceAfterBoot(machinery: Machinery): Promise<PolicyResult | undefined> {
  const { store } = machinery
  const marker = join(store.run, 'boot')
  const boot = readTextSync('/proc/sys/kernel/random/boot_id').trim()
  if ((await contentOf(marker)) === boot) return undefined
  await using _ = await acquireLock(join(store.run, 'locks', 'boot'), {
    progress: toldBy(machinery.log),
    what: 'the containers that another command starts after the boot',
  })
  if ((await contentOf(marker)) === boot) return undefined
  const result = await startByPolicy(machinery)
  await mkdir(dirname(marker), { recursive: true, mode: 0o700 })
  await writeFileAtomic(marker, `${boot}\n`, { durable: false })
  return result
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return (await readText(path)).trim()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
