import { spawn } from 'node:child_process'
import type { Healthcheck } from '#spec'
import type { Machinery } from '../state/index.ts'

/** The command of a health check, or undefined when there is none. */
export function healthCommand(check: Healthcheck | undefined, shell = ['/bin/sh', '-c']): string[] | undefined {
  const [kind, ...words] = check?.Test ?? []
  if (kind === 'CMD') return words
  return kind === 'CMD-SHELL' ? [...shell, words.join(' ')] : undefined
}

/**
 * Starts the process that checks a container's health until it ends: without a daemon each container with a health check
 * has one of its own. Does nothing without a command line to start it with.
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
