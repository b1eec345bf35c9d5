import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A network and a mount namespace of their own: bridges, firewall rules and mounts of a tool go with them. */
export interface NameSpace extends AsyncDisposable {
  /** Put this before a program and its arguments to run it inside. */
  readonly enter: readonly [string, ...string[]]
}

/** sysfs shows the network namespace it was mounted in, so it is mounted anew, with the control groups below it. */
const SCRIPT = `set -e
keep=$(mktemp -d)
mount --rbind /sys/fs/cgroup "$keep"
mount -t sysfs sysfs /sys
mount --move "$keep" /sys/fs/cgroup
rmdir "$keep"
ip link set lo up
echo ready
exec cat`

export async function ownNameSpace(): Promise<NameSpace> {
  const holder = spawn('unshare', ['-nm', 'sh', '-c', SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(holder, 'exit')
  const first = await Promise.race([once(holder.stdout, 'data'), ended])
  if (String(first[0]).trim() !== 'ready') throw new Error('no namespace could be made')
  return {
    enter: ['nsenter', '-n', '-m', '-t', `${holder.pid}`, '--'],
    async [Symbol.asyncDispose]() {
      // The holder reads its input, so it goes as well when this process dies in any way.
      holder.stdin.end()
      await ended
    },
  }
}
