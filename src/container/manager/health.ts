import { spawn } from 'node:child_process'
import { isBaleError } from '#base'
import { isAlive, type ProcessIdentity, processIdentity, sendSignal } from '#host'
import type { Healthcheck } from '#spec'
import type { ContainerDocument, HealthState } from './document.ts'
import { execContainer } from './exec.ts'
import type { Machinery } from './machinery.ts'
import { updateState } from './state.ts'

/** docker's defaults, in milliseconds. */
const DEFAULTS = { interval: 30_000, timeout: 30_000, startPeriod: 0, retries: 3 }
const KEPT_RESULTS = 5
const KEPT_OUTPUT = 4096
/** Milliseconds; a timer beyond it fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** The command of a health check, or undefined when there is none. */
export function healthCommand(check: Healthcheck | undefined, shell = ['/bin/sh', '-c']): string[] | undefined {
  const [kind, ...words] = check?.Test ?? []
  if (kind === 'CMD') return words
  return kind === 'CMD-SHELL' ? [...shell, words.join(' ')] : undefined
}

/**
 * Starts the process that checks a container's health as long as it lives: without a daemon each container with a
 * health check has one of its own. Nothing happens when there is no command line to start it with.
 */
export function startHealthChecks({ selfCommand }: Machinery, id: string): void {
  const [program, ...args] = selfCommand
  if (!program) return
  const checker = spawn(program, [...args, 'container', 'health', id], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: {},
  })
  checker.unref()
}

/** Checks a running container's health until this life of it ends. */
export async function superviseHealth(
  machinery: Machinery,
  id: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const record = await machinery.store.containers.find<ContainerDocument>(id)
  const life = record?.document.state.process
  const { Healthcheck: check, Shell: shell } = record?.document.config ?? {}
  const command = healthCommand(check, shell)
  if (!life || !command) return
  const begun = machinery.clock.now()
  while (await pause(machinery, life, milliseconds(check?.Interval) || DEFAULTS.interval, options.signal)) {
    const result = await probe(machinery, id, command, milliseconds(check?.Timeout) || DEFAULTS.timeout)
    if (!isAlive(life) || result === undefined) return
    const starting = machinery.clock.now() - begun < (milliseconds(check?.StartPeriod) || DEFAULTS.startPeriod)
    await updateState(machinery, id, (state) => ({
      ...state,
      health: nextHealth(state.health, result, { starting, retries: check?.Retries || DEFAULTS.retries }),
    }))
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
    output: output.slice(0, KEPT_OUTPUT),
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
      let output = ''
      for await (const { bytes } of running.attach!.output())
        if (output.length < KEPT_OUTPUT) output += Buffer.from(bytes).toString()
      const code = await running.exit()
      return late ? finished(-1, `Health check exceeded timeout (${timeout}ms)`) : finished(code, output)
    } finally {
      clearTimeout(timer)
    }
  } catch (error) {
    if (isBaleError(error, 'CONTAINER_NOT_RUNNING') || isBaleError(error, 'CONTAINER_NOT_FOUND')) return undefined
    if (isBaleError(error)) return finished(-1, error.message)
    throw error
  }
}
