import { readdirSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '#base'
import { readTextSync } from '#host/file'
import { REFERENCE_NODE_SECONDS } from './bars.ts'
import { median, timed } from './timed.ts'
import { basic } from './tools/index.ts'

/** The machine of a run, and how fast it was. */
export interface Machine {
  readonly text: string
  /** Seconds of `node -e 0`. */
  readonly nodeSeconds: number
  /** That, in those of the machine for which bars in seconds are stated. */
  readonly slowness: number
}

export async function describeMachine(signal?: AbortSignal): Promise<Machine> {
  const samples: number[] = []
  for (let count = 0; count < 11; count++) {
    const { seconds } = await timed([process.execPath, '-e', '0'], { env: basic(), signal })
    samples.push(seconds)
  }
  const nodeSeconds = median(samples)
  const model = cpus()[0]?.model.trim()
  return {
    text: `${cpus().length} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, ${new Date().toISOString().slice(0, 10)}`,
    nodeSeconds,
    slowness: nodeSeconds / REFERENCE_NODE_SECONDS,
  }
}

/** How a bar in seconds is meant in this run. */
export function slownessText({ nodeSeconds, slowness }: Machine): string {
  return `Bare Node (\`node -e 0\`) took ${(nodeSeconds * 1000).toFixed(0)} ms. Bars in seconds are stated for a machine where it takes ${REFERENCE_NODE_SECONDS * 1000} ms, so they are multiplied by ${slowness.toFixed(2)} here.`
}

/** What other programs use of the processors, looked at for two seconds, and which use most. */
export async function otherLoad(): Promise<{ text: string; busy: boolean; users: readonly string[] }> {
  const [before, start, all] = [processorTimes(), performance.now(), busySeconds()]
  await sleep(2000)
  const elapsed = (performance.now() - start) / 1000
  // What lived for a moment only is in the sum alone.
  const sum = (busySeconds() - all) / elapsed
  const used = [...processorTimes()]
    .map(([pid, { name, time }]) => ({ pid, name, share: (time - (before.get(pid)?.time ?? 0)) / TICKS / elapsed }))
    .filter(({ pid, share }) => pid !== process.pid && share > 0.02)
    .sort((a, b) => b.share - a.share)
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const averages = loadavg().map((value) => value.toFixed(2))
  const load = `load average ${averages.join(', ')}; ${percent(sum)} of one processor in use`
  const busy = sum >= 0.1
  const users = used.slice(0, 5).map(({ pid, name, share }) => `${name} (${pid}) ${percent(share)}`)
  return { text: `${busy ? 'the machine is not idle' : 'idle machine'} (${load})`, busy, users }
}

const TICKS = 100

/** Of all processors since the start of the machine. */
function busySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000
}

function processorTimes(): Map<number, { name: string; time: number }> {
  const times = new Map<number, { name: string; time: number }>()
  for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
    try {
      const [, name, rest] = readTextSync(`/proc/${pid}/stat`).match(/\((.*)\) (.*)/s)!
      const fields = rest!.split(' ')
      times.set(pid, { name: name!, time: Number(fields[11]) + Number(fields[12]) })
    } catch (error) {
      // It ended meanwhile.
      if (!['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) throw error
    }
  }
  return times
}
