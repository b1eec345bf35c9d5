import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { addBridgePort, createNetworkNamespace, deleteNetworkNamespace, mayMount, runProgram } from './index.ts'
import { inNetworkNamespace } from './netns.ts'

const skip = mayMount() ? false : 'mounting needs root'
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
const own = () => readlinkSync('/proc/thread-self/ns/net')

async function withNamespace(act: (file: string) => Promise<void>): Promise<void> {
  await using temporary = await temporaryDirectory('bale-netns')
  const file = join(temporary.path, 'netns/one')
  await createNetworkNamespace(file)
  try {
    await act(file)
  } finally {
    await deleteNetworkNamespace(file)
    assert.equal(existsSync(file), false)
  }
}

const inside = async (networkNamespace: string | undefined, file: string, ...args: string[]) => {
  const { code, stdout, stderr } = await runProgram(file, args, { env, networkNamespace })
  assert.equal(code, 0, stderr)
  return stdout.trim()
}

test('netns: a program runs in a namespace; this thread and programs started beside it do not', { skip }, () =>
  withNamespace(async (file) => {
    const before = own()
    const names = await Promise.all(
      [file, undefined, file, undefined].map((one) => inside(one, 'readlink', '/proc/self/ns/net')),
    )
    assert.equal(names[0], names[2])
    assert.notEqual(names[0], before)
    assert.deepEqual([names[1], names[3], own()], [before, before, before])
    assert.deepEqual(await inside(file, 'ip', '-o', 'link', 'show', 'up'), '', 'it is new: not even lo is up')
  }),
)

test('netns: this thread returns to its own namespace after a failure too', { skip }, () =>
  withNamespace(async (file) => {
    const before = own()
    const seen: string[] = []
    assert.throws(
      () =>
        inNetworkNamespace(file, () => {
          seen.push(own())
          throw new Error('inside')
        }),
      /inside/,
    )
    assert.notEqual(seen[0], before)
    assert.equal(own(), before)
    await assert.rejects(createNetworkNamespace(file), { code: 'EEXIST' })
    assert.throws(() => inNetworkNamespace('/etc/hostname', own), { code: 'EINVAL' })
    assert.throws(() => inNetworkNamespace('/no/such/file', own), { code: 'ENOENT' })
    await assert.rejects(runProgram('/no/such/program', [], { networkNamespace: file }), /cannot start/)
    assert.equal(own(), before)
  }),
)

test('netns: without the right to make a namespace there is an error, and nothing is left', { skip }, async () => {
  await using temporary = await temporaryDirectory('bale-netns')
  const file = join(temporary.path, 'netns/one')
  const program = `
    const { createNetworkNamespace } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)})
    await createNetworkNamespace(${JSON.stringify(file)}).catch(({ code, message }) => console.log(code, message))`
  const node = [process.execPath, '--conditions=source', '--disable-warning=ExperimentalWarning', '--input-type=module']
  const dropped = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', ...node, '-e', program]
  const { status, stdout, stderr } = spawnSync('setpriv', dropped, { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^NETWORK_SETUP_FAILED cannot create a network namespace: EPERM: unshare/)
  assert.equal(existsSync(file), false)
})

test('netns: a port is added to a bridge; a missing interface is an error', { skip }, () =>
  withNamespace(async (file) => {
    await inside(file, 'ip', 'link', 'add', 'bridge-of-15-ch', 'type', 'bridge')
    await inside(file, 'ip', 'link', 'add', 'port-of-15-char', 'type', 'veth', 'peer', 'name', 'other')
    inNetworkNamespace(file, () => addBridgePort('bridge-of-15-ch', 'port-of-15-char'))
    assert.match(await inside(file, 'ip', '-o', 'link', 'show', 'port-of-15-char'), /master bridge-of-15-ch /)
    const add = (bridge: string, port: string) => () => inNetworkNamespace(file, () => addBridgePort(bridge, port))
    assert.throws(add('bridge-of-15-ch', 'none'), { code: 'ENODEV' })
    assert.throws(add('none', 'port-of-15-char'), { code: 'ENODEV' })
    assert.throws(add('bridge-of-15-ch', 'port-of-15-char'), { code: 'EBUSY' })
  }),
)
