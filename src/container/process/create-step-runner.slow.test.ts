import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { busyboxRootfs, cannotRunContainers } from '../../../test/kit/busybox-rootfs.ts'
import { memoryClaims } from '../../../test/kit/memory-claims.ts'
import { inOwnNetwork } from '../../../test/kit/own-network.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import type { RunStepOptions } from '../model/run-step.ts'
import { createStepRunner } from './create-step-runner.ts'

const path = '/usr/sbin:/usr/bin:/sbin:/bin'

async function machine() {
  const directory = await temporaryDirectory('bale-step')
  const rootfs = await busyboxRootfs(await made(join(directory.path, 'rootfs')))
  const store = memoryClaims(await made(join(directory.path, 'run')))
  const runner = createStepRunner({ store, path })
  const output = { stdout: '', stderr: '' }
  const run = (script: string, options: Partial<RunStepOptions> = {}) =>
    runner({
      rootfsPath: rootfs,
      args: ['/bin/sh', '-c', script],
      env: [],
      cwd: '/',
      network: 'none',
      onOutput: (stream, bytes) => {
        output[stream] += Buffer.from(bytes).toString()
      },
      ...options,
    })
  return {
    run,
    rootfs,
    output,
    store,
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

async function made(path: string): Promise<string> {
  await mkdir(path, { recursive: true })
  return path
}

const bridges = () => readdirSync('/sys/class/net').filter((name) => name.startsWith('bale-'))
const rules = () => execFileSync('/usr/sbin/iptables-save', { encoding: 'utf8' }).match(/^-A .*10\.1\d\d\..*$/gm) ?? []

inOwnNetwork(import.meta.url, () => {
  const skip = cannotRunContainers()

  test('a step gets its environment, directory, user and input, and gives back output and exit code', {
    skip,
  }, async () => {
    await using step = await machine()
    const result = await step.run('echo "$WORD $(pwd) $(id -u):$(id -g)"; echo no >&2; cat; exit 7', {
      env: ['WORD=hello'],
      cwd: '/tmp',
      user: 'ann',
    })
    assert.deepEqual(result, { exitCode: 7 })
    assert.deepEqual(step.output, { stdout: 'hello /tmp 1000:1001\n', stderr: 'no\n' })
  })

  test('a command that is missing or cannot be executed is a result with 127 or 126', { skip }, async () => {
    await using step = await machine()
    writeFileSync(join(step.rootfs, 'data'), 'no program')
    assert.equal((await step.run('', { args: ['no-such-program'] })).exitCode, 127)
    const refused = await step.run('', { args: ['/data'] })
    assert.equal(refused.exitCode, 126)
    assert.match(refused.failure ?? '', /permission denied/i)
  })

  test('a step leaves no mount point behind and does not touch the times of /etc', { skip }, async () => {
    await using step = await machine()
    const before = statSync(join(step.rootfs, 'etc'), { bigint: true }).mtimeNs
    await step.run('grep db /etc/hosts; grep -q nameserver /etc/resolv.conf; ls /data/deep', {
      hosts: ['db:10.9.8.7'],
      additionalMounts: [{ type: 'bind', source: step.rootfs, target: '/data/deep', readOnly: true }],
    })
    assert.match(step.output.stdout, /^10\.9\.8\.7\tdb\n.*bin\n/)
    assert.deepEqual(readdirSync(join(step.rootfs, 'etc')).sort(), ['group', 'passwd'])
    assert.equal(existsSync(join(step.rootfs, 'data')), false)
    assert.equal(statSync(join(step.rootfs, 'etc'), { bigint: true }).mtimeNs, before)
  })

  test('an aborted step dies with its whole tree, and its control groups go', { skip }, async () => {
    await using step = await machine()
    const control = new AbortController()
    // A duration that no other test on this machine sleeps.
    const duration = 100_000 + process.pid
    const running = step.run(`echo begun; sleep ${duration} & sleep ${duration}`, {
      signal: control.signal,
      onOutput: () => control.abort(new Error('enough')),
    })
    await assert.rejects(running, /enough/)
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n')
    assert.equal(processes.filter((line) => line === `sleep ${duration}`).length, 0)
    assert.deepEqual(readdirSync(join(step.store.run, 'steps')), [])
    assert.deepEqual(readdirSync(join(step.store.run, 'runtime')), [])
  })

  test('a step on the bridge reaches a server of the host; afterwards bridge and rules are gone', {
    skip,
  }, async () => {
    const server = createServer((_, response) => response.end('from the host\n'))
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
    try {
      await using step = await machine()
      const { port } = server.address() as AddressInfo
      const script = `wget -qO- http://$(ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p'):${port}/`
      assert.deepEqual(await step.run(script, { network: 'bridge' }), { exitCode: 0 })
      assert.equal(step.output.stdout, 'from the host\n')
      assert.equal(bridges().length, 1)
    } finally {
      server.close()
    }
    assert.deepEqual(bridges(), [])
    assert.deepEqual(rules(), [])
  })

  test('R06: a step mounts nothing over what the kernel has in a container', { skip }, async () => {
    await using step = await machine()
    for (const target of ['/dev', '/dev/null', '/proc/sys', '/tmp/../sys/firmware'])
      await assert.rejects(
        step.run('cat /proc/keys', { additionalMounts: [{ type: 'bind', source: step.rootfs, target }] }),
        { code: 'INVALID_ARGUMENT' },
        target,
      )
    assert.equal(step.output.stdout, '')
    assert.deepEqual(readdirSync(join(step.store.run, 'steps')), [])
  })

  test("R07 R09 a step has docker's capabilities, a filter, and may not make namespaces", { skip }, async () => {
    await using step = await machine()
    await step.run('grep -E "^(Cap(Inh|Prm|Bnd|Amb)|Seccomp):" /proc/self/status; unshare -U true || echo refused')
    assert.equal(
      step.output.stdout.replaceAll('\t', ' '),
      'CapInh: 0000000000000000\nCapPrm: 00000000a80425fb\nCapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\nSeccomp: 2\nrefused\n',
    )
    assert.match(readTextSync('/proc/self/status'), /^Seccomp:\t0$/m, 'the test itself is not filtered')
  })
})
