/**
 * Loaded into each process of a test run: says what the process waits for shortly before its tests are given up, so that a
 * test that hangs once in a thousand runs tells why.
 */
import { type ChildProcess, execFileSync } from 'node:child_process'

const AFTER = Number(process.env['BALE_TEST_STUCK_AFTER'] ?? 800) * 1000

setTimeout(tell, AFTER).unref()

function tell(): void {
  const handles = (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles().map(describe)
  const lines = [
    `test: ${process.argv[1]} has not ended after ${AFTER / 1000} s; it waits for`,
    ...process.getActiveResourcesInfo(),
    'with these handles',
    ...handles,
    'and these processes',
    ...ownProcesses(),
  ]
  process.stderr.write(`${lines.join('\n')}\n`)
}

function describe(handle: object): string {
  const { spawnargs, pid, exitCode } = handle as Partial<ChildProcess>
  const { fd, _handle } = handle as { fd?: number; _handle?: { fd?: number } }
  const child = spawnargs ? ` ${pid} ${spawnargs.join(' ').slice(0, 300)} (exit code ${exitCode})` : ''
  return `${handle.constructor.name} ${fd ?? _handle?.fd ?? ''}${child}`
}

/** Those that this one started, and those that were started on a directory of the run. */
function ownProcesses(): string[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,wchan:24=,etimes=,args='], { encoding: 'utf8' })
  const own = new Set([process.pid])
  const directory = process.env['TMPDIR']
  return table.split('\n').filter((line) => {
    const [pid, parent] = line.trim().split(/ +/, 2).map(Number) as [number, number]
    if (!own.has(parent) && !(directory && line.includes(directory))) return false
    own.add(pid)
    return true
  })
}
