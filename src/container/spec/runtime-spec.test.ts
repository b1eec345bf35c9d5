import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostOptions } from '../model/options.ts'
import { assertResolvOptions, parseExtraHost } from '../network/etc-files.ts'
import { NO_APPARMOR } from './apparmor.ts'
import { deviceAccess } from './devices.ts'
import type { Machine } from './machine.ts'
import { type RuntimeSpecInput, runtimeSpec } from './runtime-spec.ts'

const machine: Machine = {
  architecture: 'amd64',
  kernel: '6.18.0',
  capabilities: [
    ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP'],
    ...['NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE', 'SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE'],
  ].map((name) => `CAP_${name}`),
  hardLimits: new Map(),
  mayRaiseLimits: false,
  mostFiles: 1_048_576,
  seccomp: true,
  cgroupVersion: 1,
  controllers: new Set(['memory', 'pids', 'cpu', 'devices']),
  apparmor: NO_APPARMOR,
}

function spec(host: HostOptions = {}, more: Partial<RuntimeSpecInput> = {}) {
  return runtimeSpec({
    id: 'a'.repeat(64),
    rootfsPath: '/rootfs',
    process: {
      args: ['sh'],
      env: [],
      cwd: '/',
      terminal: false,
      user: { uid: 0, gid: 0, additionalGids: [0] },
    },
    hostname: 'box',
    network: 'own',
    host,
    mounts: [],
    devices: deviceAccess([], host.privileged),
    machine,
    ...more,
  })
}

const DOCKERS_MASKS = [
  ...['/proc/asound', '/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list'],
  ...['/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'],
]

test("R06: docker's paths are masked or read-only in every container that is not privileged", () => {
  const { linux, mounts } = spec()
  for (const path of DOCKERS_MASKS) assert.ok(linux.maskedPaths?.includes(path), path)
  for (const path of ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'])
    assert.ok(linux.readonlyPaths?.includes(path), path)
  for (const path of ['/sys', '/sys/fs/cgroup'])
    assert.ok(mounts.find((mount) => mount.destination === path)?.options?.includes('ro'), path)
  assert.equal(spec({ privileged: true }).linux.maskedPaths, undefined)
})

test('R07: nothing is inherited or ambient, others than root begin without capabilities', () => {
  const root = { ...spec().process.capabilities } as Record<string, string[] | undefined>
  assert.equal(root['bounding']?.length, 14)
  assert.deepEqual([root['inheritable'], root['ambient']], [undefined, undefined])
  assert.deepEqual(root['effective'], root['bounding'])
  const process = {
    ...{ args: ['sh'], env: [], cwd: '/', terminal: false },
    user: { uid: 5, gid: 5, additionalGids: [5] },
  }
  const user = spec({}, { process }).process.capabilities
  assert.deepEqual([user.bounding.length, user.effective, user.permitted], [14, undefined, undefined])
  assert.deepEqual(spec({ capDrop: ['all'] }).process.capabilities.bounding, [])
  assert.throws(() => spec({ capAdd: ['NET_ADMINN'] }), /unknown capability/)
  assert.throws(() => spec({ capAdd: ['SYS_MODULE'] }), /cannot be granted/)
  assert.equal(spec().process.noNewPrivileges, undefined)
  assert.equal(spec({ securityOptions: ['no-new-privileges'] }).process.noNewPrivileges, true)
})

test('M09: HOME is always said, so that no runtime looks for it in the files of a container', () => {
  const envOf = (env: string[], home?: string) =>
    spec(
      {},
      {
        process: { args: ['sh'], env, cwd: '/', terminal: false, user: { uid: 5, gid: 5, additionalGids: [5], home } },
      },
    ).process.env
  assert.deepEqual(envOf(['A=b'], '/home/ann'), ['A=b', 'HOME=/home/ann'])
  assert.deepEqual(envOf([]), ['HOME=/'])
  assert.deepEqual(envOf(['HOME=/own', 'A=b'], '/home/ann'), ['HOME=/own', 'A=b'])
})

test('R09: the default filter refuses by default; a capability opens only its own calls', () => {
  const allowed = (host: HostOptions) => {
    const filter = spec(host).linux.seccomp!
    assert.equal(filter.defaultAction, 'SCMP_ACT_ERRNO')
    return new Set(
      filter.syscalls.filter((rule) => rule.action === 'SCMP_ACT_ALLOW' && !rule.args).flatMap((rule) => rule.names),
    )
  }
  const normal = allowed({})
  for (const call of [
    'keyctl',
    'bpf',
    'userfaultfd',
    'io_uring_setup',
    'socket',
    'mount_setattr',
    'fsconfig',
    'unshare',
  ])
    assert.equal(normal.has(call), false, call)
  assert.equal(normal.has('read'), true)
  const admin = allowed({ capAdd: ['SYS_ADMIN'] })
  assert.deepEqual([admin.has('mount'), admin.has('kexec_load'), admin.has('keyctl')], [true, false, false])
})

test('R18: a profile that cannot be applied is refused, never ignored', () => {
  for (const option of [
    'seccomp=/no/such/profile.json',
    'seccomp={"defaultAction":"nothing"}',
    'seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_ERRNO"}]}',
    'seccomp=',
    'seccomp',
    'apparmor=docker-default',
    'label=type:container_t',
    'apparmour=unconfined',
  ])
    assert.throws(() => spec({ securityOptions: [option] }), { code: 'INVALID_ARGUMENT' }, option)
  const without = { ...machine, seccomp: false }
  assert.throws(() => spec({}, { machine: without }), { code: 'UNSUPPORTED_HOST' })
  assert.equal(spec({ securityOptions: ['seccomp=unconfined'] }, { machine: without }).linux.seccomp, undefined)
})

test('R10: kernel settings come from a list, and only for namespaces of the container', () => {
  assert.equal(spec({ sysctls: { 'net.core.somaxconn': '99' } }).linux.sysctl?.['net.core.somaxconn'], '99')
  const wrong: Record<string, string>[] = [
    { 'kernel.core_pattern': '|/bin/sh' },
    { 'vm.swappiness': '1' },
    { 'net.core.somaxconn+kernel.core_pattern': '1' },
    { 'net.core.somaxconn;x': '1' },
    { 'net.core.somaxconn': '1\nkernel.core_pattern=|x' },
    { '../kernel/core_pattern': '1' },
  ]
  for (const sysctls of wrong)
    assert.throws(() => spec({ sysctls }), { code: 'INVALID_ARGUMENT' }, JSON.stringify(sysctls))
  assert.throws(
    () => spec({ sysctls: { 'net.core.somaxconn': '1' } }, { network: 'host' }),
    /not specific to the container/,
  )
  assert.throws(() => spec({ sysctls: { 'kernel.msgmax': '1' } }, { ipc: 'host' }), /not specific to the container/)
})

test('R10: no line of /etc/hosts or resolv.conf can be smuggled in', () => {
  for (const entry of ['a b:1.2.3.4', 'a:1.2.3.4\n6.6.6.6 bank', 'a\n:1.2.3.4', 'a:1.2.3', ':1.2.3.4', 'a'])
    assert.throws(() => parseExtraHost(entry), { code: 'INVALID_ARGUMENT' }, entry)
  assert.throws(() => assertResolvOptions({ dns: ['1.1.1.1\nnameserver 6.6.6.6'] }), /invalid DNS/)
  assert.throws(() => assertResolvOptions({ dnsSearch: ['a\nnameserver 6.6.6.6'] }), /invalid DNS/)
  assert.throws(() => assertResolvOptions({ dnsOptions: ['ndots:1\nx'] }), /invalid DNS/)
})

test("R19: namespaces are the container's own unless the host's or another's are asked for", () => {
  const types = (input: Partial<RuntimeSpecInput> = {}) => spec({}, input).linux.namespaces
  assert.deepEqual(
    types().map((one) => [one.type, one.path]),
    ['mount', 'network', 'uts', 'pid', 'ipc'].map((type) => [type, undefined]),
  )
  assert.deepEqual(
    types({ pid: 'host', ipc: { path: '/proc/5/ns/ipc' } }).map((one) => one.path ?? one.type),
    ['mount', 'network', 'uts', '/proc/5/ns/ipc'],
  )
})
