import { isBaleError } from '#base'
import { formatDuration } from '#docker'
import { isAlive, type ProcessIdentity, processIdentity, sendSignal } from '#host'
import type { Healthcheck } from '#spec'
import type { Container, HealthState } from '../model/index.ts'
import { type Machinery, seeContainer, updateState } from '../state/index.ts'
import { execContainer } from './exec.ts'
import { wantsRestart } from './finalize.ts'
import { healthCommand } from './start-health-checks.ts'
import { endGently } from './stop.ts'

/** docker's defaults, in milliseconds. */
const DEFAULTS = { interval: 30_000, timeout: 30_000, startPeriod: 0, startInterval: 5000, retries: 3 }
const KEPT_RESULTS = 5
const KEPT_OUTPUT = 4096
/** Milliseconds; a timer beyond it fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Checks a running container's health until this life of it ends. With the policy on-unhealthy an unhealthy container is
 * ended; its monitor starts it again.
 */
export async function superviseHealth(
  machinery: Machinery,
  id: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const record = await machinery.records.containers.find(id)
  const life = record?.document.state.process
  const { Healthcheck: check, Shell: shell } = record?.document.config ?? {}
  const command = healthCommand(check, shell)
  if (!life || !command) return
  const times = timesOf(check)
  const begun = machinery.clock.now()
  let health = record.document.state.health
  const age = () => machinery.clock.now() - begun
  const interval = () =>
    age() < times.startPeriod && health?.status === 'starting' ? times.startInterval : times.interval
  while (await pause(machinery, life, interval(), options.signal)) {
    const starting = age() < times.startPeriod
    const result = await probe(machinery, id, command, times.timeout)
    if (!isAlive(life)) return
    // Paused: there is nothing to report.
    if (result === undefined) continue
    const updated = await updateState(machinery, id, (state) =>
      state.process && isSame(state.process, life)
        ? { ...state, health: nextHealth(state.health, result, { starting, retries: times.retries }) }
        : state,
    )
    health = updated?.document.state.health
    if (updated && health?.status === 'unhealthy' && mayRestart(updated)) {
      await endGently(machinery, await seeContainer(machinery, id))
      return
    }
  }
}

const isSame = (one: ProcessIdentity, other: ProcessIdentity) =>
  one.pid === other.pid && one.startTime === other.startTime

function mayRestart(record: Container): boolean {
  const { host, state } = record.document
  return host.restart?.name === 'on-unhealthy' && wantsRestart(record, { ...state, status: 'exited' })
}

/** Milliseconds; 0 and undefined are docker's defaults. */
function timesOf(check: Healthcheck | undefined) {
  return {
    interval: milliseconds(check?.Interval) || DEFAULTS.interval,
    timeout: milliseconds(check?.Timeout) || DEFAULTS.timeout,
    startPeriod: milliseconds(check?.StartPeriod) || DEFAULTS.startPeriod,
    startInterval: milliseconds(check?.StartInterval) || DEFAULTS.startInterval,
    retries: check?.Retries || DEFAULTS.retries,
  }
}

export type HealthResult = HealthState['log'][number]

/** docker's rules: failures while starting do not count, `retries` failures in a row mean unhealthy, one success healthy. */
export function nextHealth(
  before: HealthState | undefined,
  result: HealthResult,
  rules: { starting: boolean; retries: number },
): HealthState {
  const log = [...(before?.log ?? []), result].slice(-KEPT_RESULTS)
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log }
  const status = before?.status ?? 'starting'
  if (status === 'starting' && rules.starting) return { status, failingStreak: before?.failingStreak ?? 0, log }
  const failingStreak = (before?.failingStreak ?? 0) + 1
  return { status: failingStreak >= rules.retries ? 'unhealthy' : status, failingStreak, log }
}

/** Nanoseconds of docker's JSON. */
function milliseconds(nanoseconds: number | undefined): number {
  return nanoseconds === undefined ? 0 : nanoseconds / 1e6
}

/** False when the container has ended meanwhile. */
async function pause(
  machinery: Machinery,
  life: ProcessIdentity,
  duration: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (let left = duration; left > 0 && isAlive(life); left -= 500)
    await machinery.clock.sleep(Math.min(left, 500), { signal })
  return isAlive(life)
}

/** Runs the command once. Undefined when the container has ended or is paused: that is no result. */
async function probe(
  machinery: Machinery,
  id: string,
  args: string[],
  timeout: number,
): Promise<HealthResult | undefined> {
  const start = new Date(machinery.clock.now()).toISOString()
  const finished = (exitCode: number, output: string): HealthResult => ({
    start,
    end: new Date(machinery.clock.now()).toISOString(),
    exitCode,
    output,
  })
  try {
    await using running = await execContainer(machinery, id, { args })
    const process = processIdentity(running.pid)
    let late = false
    const timer = setTimeout(
      () => {
        late = true
        if (process) sendSignal(process, 'SIGKILL')
      },
      Math.min(timeout, LONGEST_TIMER),
    )
    try {
      const output = keptOutput()
      for await (const { bytes } of running.attach!.output()) output.add(bytes)
      const code = await running.exit()
      if (!late) return finished(code, output.text())
      const said = output.text()
      return finished(-1, `Health check exceeded timeout (${formatDuration(timeout * 1e6)})${said && `: ${said}`}`)
    } finally {
      clearTimeout(timer)
    }
  } catch (error) {
    // Ended or paused: no result.
    if (['CONTAINER_NOT_RUNNING', 'CONTAINER_NOT_FOUND', 'CONFLICT'].some((code) => isBaleError(error, code as never)))
      return undefined
    if (isBaleError(error)) return finished(-1, error.message)
    throw error
  }
}

/** The beginning of a check's output; dots mark that it was cut. */
function keptOutput(): { add(bytes: Uint8Array): void; text(): string } {
  const kept: Uint8Array[] = []
  let size = 0
  return {
    add(bytes) {
      const left = KEPT_OUTPUT - size
      if (left > 0) kept.push(bytes.subarray(0, left))
      size += bytes.length
    },
    text: () => `${Buffer.concat(kept).toString()}${size > KEPT_OUTPUT ? '...' : ''}`,
  }
}
