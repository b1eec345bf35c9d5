import { execute } from '../test/kit/bale.ts'

/** One command as a whole process, seen from outside. */
export interface Timing {
  seconds: number
  /** Peak resident memory of the largest single process, in MB. A daemon's memory is not in it. */
  peakMegabytes: number
  /** Of processors, by the command and all that it waited for; undefined where a container tells its own time. */
  processorSeconds?: number
}

/** Times a command that starts with nothing left to write to the disk by those before it. */
export async function timed(command: readonly string[], env: Record<string, string>): Promise<Timing> {
  const marker = 'bench-time:'
  await execute('/bin/sync', [])
  const outcome = await execute('/usr/bin/time', ['-f', `${marker} %e %M %U %S`, ...command], { env, timeout: 600_000 })
  const figures = outcome.stderr.split('\n').find((line) => line.startsWith(marker))
  if (outcome.code !== 0 || !figures) {
    throw new Error(`${command.join(' ')} failed (${outcome.code}): ${outcome.stderr.slice(-800)}`)
  }
  const [seconds, kilobytes, user, system] = figures.slice(marker.length).trim().split(' ').map(Number)
  return { seconds: seconds!, peakMegabytes: kilobytes! / 1024, processorSeconds: user! + system! }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
