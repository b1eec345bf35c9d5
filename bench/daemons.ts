import { existsSync, writeFileSync } from 'node:fs'
import { readTextSync } from '#host/file'

/** What daemons did for a command. */
interface DaemonFigures {
  readonly processorSeconds: number
  readonly peakMegabytes: number
  readonly bytesRead: number
  readonly bytesWritten: number
}

/** The kernel's clock ticks per second, as programs see them on all architectures that Node runs on. */
const TICKS = 100

/**
 * Looks at processes now, and again when the returned function is called: what they and the children that they waited for
 * did in between. Their peak memory starts anew.
 */
export function watchDaemons(pids: readonly number[]): () => DaemonFigures {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5')
  const before = pids.map(figuresOf)
  return () => {
    const after = pids.map(figuresOf)
    const grown = (member: keyof DaemonFigures) =>
      after.reduce((sum, one, index) => sum + one[member] - before[index]![member], 0)
    return {
      processorSeconds: grown('processorSeconds'),
      peakMegabytes: Math.max(0, ...after.map((one) => one.peakMegabytes)),
      bytesRead: grown('bytesRead'),
      bytesWritten: grown('bytesWritten'),
    }
  }
}

function figuresOf(pid: number): DaemonFigures {
  // The name of a program, in parentheses, may have spaces.
  const stat = readTextSync(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  const io = readTextSync(`/proc/${pid}/io`)
  const status = readTextSync(`/proc/${pid}/status`)
  const number = (text: string, name: string) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1])
  return {
    processorSeconds: stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS,
    peakMegabytes: number(status, 'VmHWM') / 1024,
    bytesRead: number(io, 'rchar'),
    bytesWritten: number(io, 'write_bytes'),
  }
}

/** The process that wrote a file with its ID, or none. */
export function pidFrom(file: string): number[] {
  return existsSync(file) ? [Number(readTextSync(file))] : []
}
