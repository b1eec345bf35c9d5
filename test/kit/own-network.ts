/** Runs a test file inside its own network namespace, so that bridges and firewall rules never touch the machine's. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Why networks cannot be made here, or false: for the `skip` option of a test. */
export function cannotMakeNetworks(): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = ['/usr/lib/podman/netavark', '/usr/sbin/iptables', '/usr/bin/unshare'].filter(
    (path) => !existsSync(path),
  )
  return missing.length ? `needs ${missing.join(', ')}` : false
}

/** sysfs shows the network namespace it was mounted in, so it is mounted anew, with the control groups below it. */
const SCRIPT = `set -e
keep=$(mktemp -d)
mount --rbind /sys/fs/cgroup "$keep"
mount -t sysfs sysfs /sys
mount --move "$keep" /sys/fs/cgroup
rmdir "$keep"
ip link set lo up
exec "$0" --conditions=source --test --test-isolation=none "$1"`

/**
 * Defines the file's tests by `define`, but inside a fresh network namespace: the file starts itself there once more.
 * Outside one test stands for all of them and shows their output when one fails.
 */
export function inOwnNetwork(moduleUrl: string, define: () => void): void {
  if (process.env['BALE_TEST_NETWORK'] === 'own') {
    define()
    return
  }
  test('in a network namespace of its own', { skip: cannotMakeNetworks() }, () => {
    const env: NodeJS.ProcessEnv = { ...process.env, BALE_TEST_NETWORK: 'own' }
    delete env['NODE_TEST_CONTEXT']
    const result = spawnSync('unshare', ['-nm', 'sh', '-c', SCRIPT, process.execPath, fileURLToPath(moduleUrl)], {
      env,
      encoding: 'utf8',
    })
    if (result.status !== 0) throw new Error(`tests in the namespace failed:\n${result.stdout}\n${result.stderr}`)
    if (!/^. tests [1-9]/m.test(result.stdout)) throw new Error(`no test ran in the namespace:\n${result.stdout}`)
  })
}
