/** What a container must not be able to do to the machine it runs on, tried from inside. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { atOnce, execute } from '../kit/bale.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { until } from '../kit/until.ts'
import { cannotRun, prepared } from './prepared.ts'

const options = { skip: cannotRun }

/** The machine's own perl in a container, for system calls that busybox cannot make. */
const PERL = ['-v', '/usr:/usr:ro', '-v', '/lib:/lib:ro', ...(existsSync('/lib64') ? ['-v', '/lib64:/lib64:ro'] : [])]
const cannotCall =
  cannotRun ||
  (process.arch !== 'x64' && 'the numbers of the system calls are those of x86-64') ||
  (!existsSync('/usr/bin/perl') && 'needs perl')

test(
  'R02: a container and an exec hold no descriptor but stdin, stdout and stderr, and reach none of ours by a directory',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    await bale.run(['run', '-d', '--name', 'box', 'busybox:1', 'sleep', '1000'])
    const links = (pid: string) =>
      `for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 255; do readlink /proc/${pid}/fd/$fd && echo $fd; done; :`
    const first = await bale.run(['exec', 'box', 'sh', '-c', links('1')])
    const own = await bale.run(['exec', 'box', 'sh', '-c', links('self')])
    for (const text of [first, own]) {
      assert.match(
        text,
        /^(\/dev\/null|pipe:\[\d+\])\n0\n(\/dev\/null|pipe:\[\d+\])\n1\n(\/dev\/null|pipe:\[\d+\])\n2$/,
      )
    }
    writeFileSync(join(bale.directory, 'canary'), 'canary')
    await atOnce([3, 4, 5, 6, 7, 8, 9, 10, 11], async (fd) => {
      const outcome = await bale.try([
        'exec',
        '-w',
        `/proc/self/fd/${fd}`,
        'box',
        'sh',
        '-c',
        `cat ../../../../../../..${bale.directory}/canary`,
      ])
      assert.notEqual(outcome.code, 0, `fd ${fd}`)
      assert.equal(outcome.stdout, '', `fd ${fd}`)
    })
  },
)

test('R01: a program that is /proc/self/exe changes no program of the machine', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const programs = ['/usr/bin/runc', '/usr/sbin/runc', '/usr/bin/conmon', '/usr/bin/crun'].filter((path) =>
    existsSync(path),
  )
  const sums = () => programs.map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'))
  const before = sums()
  const first = await bale.try(['run', '--rm', '--entrypoint', '/proc/self/exe', 'busybox:1', '--version'])
  assert.doesNotMatch(first.stdout, /runc/)
  await bale.run([
    'run',
    '-d',
    '--name',
    'box',
    'busybox:1',
    'sh',
    '-c',
    'while :; do for exe in /proc/[0-9]*/exe; do echo broken 2>/dev/null > $exe; done; done 2>/dev/null',
  ])
  for (let turn = 0; turn < 3; turn++)
    assert.doesNotMatch((await bale.try(['exec', 'box', '/proc/self/exe', '--version'])).stdout, /runc/)
  assert.deepEqual(sums(), before)
})

test("R06 R07: the kernel's levers are hidden or read-only, capabilities are docker's fourteen", options, async () => {
  await using place = await prepared()
  const { bale } = place
  const script = `
    for path in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /sys/firmware /sys/devices/virtual/powercap /proc/acpi /proc/scsi
    do if [ -d $path ]; then echo "$path: $(ls -A $path)"; else echo "$path: $(head -c 1 $path 2>/dev/null)"; fi; done
    for path in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /sys/kernel/uevent_helper /proc/irq/default_smp_affinity
    do { true >> $path; } 2>/dev/null && echo "opened: $path"; done
    for directory in /sys/fs/cgroup/pids /sys/fs/cgroup/memory
    do mkdir $directory/made 2>/dev/null && echo "made: $directory"; done
    mount -t tmpfs none /tmp 2>/dev/null && echo mounted
    umount /proc/keys 2>/dev/null && echo unmounted
    mknod /sda b 8 0 && head -c 1 /sda 2>/dev/null && echo device
    grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status`
  const lines = (await bale.run(['run', '--rm', 'busybox:1', 'sh', '-c', script]))
    .split('\n')
    .map((line) => line.trim())
  assert.deepEqual(lines, [
    ...[
      '/proc/kcore:',
      '/proc/keys:',
      '/proc/timer_list:',
      '/proc/interrupts:',
      '/sys/firmware:',
      '/sys/devices/virtual/powercap:',
      '/proc/acpi:',
      '/proc/scsi:',
    ],
    'CapInh:\t0000000000000000',
    'CapPrm:\t00000000a80425fb',
    'CapEff:\t00000000a80425fb',
    'CapBnd:\t00000000a80425fb',
    'CapAmb:\t0000000000000000',
    'NoNewPrivs:\t0',
    'Seccomp:\t2',
  ])
  const user = await bale.run([
    'run',
    '--rm',
    '-u',
    'user',
    '--security-opt',
    'no-new-privileges',
    'busybox:1',
    'grep',
    '-E',
    '^(Cap[PE]|Groups|NoNewPrivs)',
    '/proc/self/status',
  ])
  // R08: the primary group is among the supplementary ones.
  assert.deepEqual(
    user.split('\n').map((line) => line.trim()),
    ['Groups:\t1000 2000', 'CapPrm:\t0000000000000000', 'CapEff:\t0000000000000000', 'NoNewPrivs:\t1'],
  )
})

test('R09: system calls that open the kernel are denied', { ...options, skip: cannotCall }, async () => {
  await using place = await prepared()
  const { bale } = place
  const calls = {
    add_key: [248],
    bpf: [321],
    clone3: [435],
    fsconfig: [431, -1],
    fsopen: [430],
    init_module: [175],
    io_uring_setup: [425, 1],
    kexec_load: [246],
    keyctl: [250],
    mount_setattr: [442, -1],
    move_mount: [429, -1],
    open_by_handle_at: [304, -1],
    open_tree: [428, -1],
    perf_event_open: [298],
    pivot_root: [155],
    reboot: [169],
    setns: [308, -1],
    swapon: [167],
    unshare: [272, 0x10000000],
    userfaultfd: [323],
    'socket AF_ALG': [41, 38, 5],
    'socket AF_VSOCK': [41, 40, 1],
    'socket AF_INET': [41, 2, 1],
  } as Record<string, number[]>
  writeFileSync(
    join(bale.directory, 'calls.pl'),
    `
    ${Object.entries(calls)
      .map(
        ([name, numbers]) =>
          `$! = 0; printf "%s %d\\n", "${name}", syscall(${[...numbers, 0, 0, 0, 0, 0, 0].slice(0, 7).join(', ')}) < 0 ? $! + 0 : 0;`,
      )
      .join('\n')}`,
  )
  const text = await bale.run([
    'run',
    '--rm',
    ...PERL,
    '-v',
    `${bale.directory}/calls.pl:/calls.pl:ro`,
    'busybox:1',
    '/usr/bin/perl',
    '/calls.pl',
  ])
  const [EPERM, ENOSYS] = [1, 38]
  const expected = Object.keys(calls).map(
    (name) => `${name} ${name === 'socket AF_INET' ? 0 : ['clone3', 'io_uring_setup'].includes(name) ? ENOSYS : EPERM}`,
  )
  assert.deepEqual(text.split('\n'), expected)
})

test('R18: a filter that cannot be applied is a container that does not start', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const profile = (content: unknown) => {
    const path = join(bale.directory, 'profile.json')
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return ['--security-opt', `seccomp=${path}`]
  }
  const refused = [
    profile('no json'),
    ['--security-opt', 'seccomp=/no/such/file'],
    ['--security-opt', 'apparmor=docker-default'],
    ['--security-opt', 'apparmr=unconfined'],
  ]
  for (const flags of refused) {
    const outcome = await bale.try(['run', '--rm', ...flags, 'busybox:1', 'echo', 'ran'])
    assert.deepEqual([outcome.code, outcome.stdout], [125, ''], outcome.stderr)
  }
  const unknown = profile({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTHING' }],
  })
  const outcome = await bale.try(['run', '--rm', ...unknown, 'busybox:1', 'echo', 'ran'])
  assert.deepEqual([outcome.code, outcome.stdout], [125, ''], outcome.stderr)
  const own = profile({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
  })
  assert.match((await bale.try(['run', '--rm', ...own, 'busybox:1', 'mkdir', '/made'])).stderr, /not permitted/)
  assert.equal(await bale.run(['ps', '-aq']), '')
})

test('R10: names, host names and host lines with a newline or other marks are refused', options, async () => {
  await using place = await prepared()
  const { bale } = place
  for (const flags of [
    ['--name', 'a\nb'],
    ['--name', '../x'],
    ['--hostname', 'a\nb'],
    ['--hostname', '-x'],
    ['--add-host', 'a:1.2.3.4\n6.6.6.6 bank'],
    ['--dns', '1.1.1.1\nnameserver 6.6.6.6'],
    ['--sysctl', 'kernel.core_pattern=|/x'],
    ['--network-alias', 'a\nb'],
  ]) {
    const outcome = await bale.try(['run', '--rm', ...flags, 'busybox:1', 'true'])
    assert.equal(outcome.code, 125, `${flags} ${outcome.stdout}`)
    assert.equal(
      outcome.stderr.split('\n').filter((line) => line && !/^(hint:|See )/.test(line)).length,
      1,
      outcome.stderr,
    )
  }
  assert.equal(await bale.run(['ps', '-aq']), '')
})

test('R04: cp stays inside a container that swaps directories for links all the time', options, async () => {
  await using place = await prepared()
  const { bale } = place
  const victims = join(bale.directory, 'victims')
  mkdirSync(victims)
  writeFileSync(join(victims, 'file'), 'secret of the machine')
  writeFileSync(join(bale.directory, 'file'), 'copied in')
  const swap = `while :; do ln -s ${victims} /link 2>/dev/null; mv -T /link /swap 2>/dev/null; rm -rf /swap; mkdir /swap; echo inside > /swap/file; done`
  await bale.run(['run', '-d', '--name', 'swapper', 'busybox:1', 'sh', '-c', swap])
  await bale.run(['exec', 'swapper', 'ln', '-s', victims, '/fixed'])
  let done = 0
  for (const path of ['/fixed/file', '/swap/file', '/fixed', '/swap', '/fixed/file', '/tmp']) {
    const into = await bale.try(['cp', join(bale.directory, 'file'), `swapper:${path}`])
    const out = join(bale.directory, `out${done}`)
    const from = await bale.try(['cp', `swapper:${path}`, out])
    done += Number(into.code === 0) + Number(from.code === 0)
    const kind = lstatSync(out, { throwIfNoEntry: false })
    if (kind?.isFile()) assert.doesNotMatch(readFileSync(out, 'utf8'), /secret/)
    if (kind?.isDirectory())
      for (const name of readdirSync(out)) assert.doesNotMatch(readFileSync(join(out, name), 'utf8'), /secret/)
  }
  assert.ok(done > 1, 'what is no link is copied')
  assert.equal(readFileSync(join(victims, 'file'), 'utf8'), 'secret of the machine')
  assert.deepEqual(readdirSync(victims), ['file'])
})

test(
  'M09: account files of a running container that are endless, or are mounted, are not read by exec and health checks',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const passwd = join(bale.directory, 'passwd')
    writeFileSync(passwd, 'root:x:0:0::/:/bin/sh\nmounted:x:4242:4242::/:/bin/sh\n')
    const health = ['--health-cmd', 'id -u', '--health-interval', '200ms', '--health-timeout', '20s']
    const replaced =
      'for name in passwd group; do rm /etc/$name; ln -s /proc/1/pagemap /etc/$name; done; exec sleep 1000'
    await bale.run(['run', '-d', '--name', 'endless', '-u', '0:0', ...health, 'busybox:1', 'sh', '-c', replaced])
    // The runtime looks into the container's files as well, from inside: runc then refuses, crun does not mind.
    const five = await bale.try(['exec', '-u', '5', 'endless', 'id', '-u'])
    assert.match(five.stdout + five.stderr, /^5\n$|unable to find user 5/)
    const named = await bale.try(['exec', '-u', 'user', 'endless', 'id', '-u'])
    assert.match(named.stderr, /unable to find user user/)
    let checks = '0'
    for (let look = 0; look < 100 && checks === '0'; look++)
      checks = await bale.run(['inspect', '-f', '{{len .State.Health.Log}}', 'endless'])
    assert.notEqual(checks, '0', 'a health check came to its end')
    // The accounts are those of the root file system at the start and in exec alike, as with docker.
    const mount = ['-v', `${passwd}:/etc/passwd:ro`]
    assert.equal((await bale.try(['run', '--rm', ...mount, '-u', 'mounted', 'busybox:1', 'true'])).code, 125)
    await bale.run(['run', '-d', '--name', 'mounted', ...mount, '-u', 'user', 'busybox:1', 'sleep', '1000'])
    assert.equal(await bale.run(['exec', 'mounted', 'id', '-u']), '1000')
    assert.equal(await bale.run(['exec', '-u', 'user', 'mounted', 'id', '-u']), '1000')
  },
)

test(
  'R11: output is kept as it is: no forged log lines, escapes as written, a line without end cut into parts',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const forged = '2026-01-01T00:00:00.000000000+00:00 stderr F forged'
    await bale.run(['run', '--name', 'box', 'busybox:1', 'sh', '-c', `echo '${forged}'; printf '\\033[2Jx\\n'`])
    const log = await bale.try(['logs', 'box'])
    assert.deepEqual([log.stdout, log.stderr], [`${forged}\n\u001b[2Jx\n`, ''])
    assert.match(
      await bale.run(['logs', '-t', '--tail', '2', 'box']),
      /^2\S+Z 2026-01-01T00:00:00\.000000000\+00:00 stderr F forged\n2\S+Z \u001b/,
    )
    await bale.run(['run', '--name', 'bomb', 'busybox:1', 'sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" x'])
    assert.equal((await bale.try(['logs', 'bomb'])).stdout.length, 3_000_000)
    // The log stays where it is and closed to others, whatever the container is called or does.
    const [file] = readdirSync(join(bale.directory, 'root/containers')).map((id) =>
      join(bale.directory, 'root/containers', id, 'log'),
    )
    assert.equal(lstatSync(file!).mode & 0o777, 0o600)
  },
)

test(
  'T13 R14: what the store and the run directory hold is closed to other users of the machine',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    // Someone else made the directories, open to all, as an administrator may.
    const [root, run] = [join(bale.directory, 'open-root'), join(bale.directory, 'open-run')]
    for (const directory of [root, run]) {
      mkdirSync(directory)
      chmodSync(directory, 0o755)
    }
    const env = { BALE_ROOT: root, BALE_RUN: run }
    chmodSync(bale.directory, 0o755)
    await bale.run(['import', place.tar, 'busybox:1'], { env })
    await bale.run(
      ['run', '-d', '--name', 'box', '-e', 'SECRET=canary', '-v', 'data:/data', 'busybox:1', 'sleep', '1000'],
      { env },
    )
    try {
      const script = `find ${root} ${run} -type f -readable 2>/dev/null; find ${root} ${run} -mindepth 2 2>/dev/null; find ${root} ${run} -type s -writable 2>/dev/null`
      const seen = await execute('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'sh', '-c', script])
      assert.equal(seen.stdout, '')
      const attach = (await execute('find', [run, '-name', 'attach'])).stdout.trim()
      assert.notEqual(attach, '')
      assert.doesNotMatch(readTextSync('/proc/net/unix'), /@\S*(bale|conmon)/)
    } finally {
      await bale.run(['rm', '-f', '-v', 'box'], { env })
    }
  },
)

test(
  'T12 T13: device nodes of an image are no devices of the machine; setuid counts inside only',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    const [, major, minor] = /^\s*(\d+)\s+(\d+)\s+\d+\s+[sv]d[a-z]$/m.exec(readTextSync('/proc/partitions')) ?? [
      '',
      '8',
      '0',
    ]
    const device = (name: string, type: 'block' | 'character', numbers: [number, number]) =>
      tarEntry(name, { type, mode: 0o666, deviceMajor: numbers[0], deviceMinor: numbers[1] })
    const context = join(bale.directory, 'context')
    mkdirSync(context)
    writeFileSync(
      join(context, 'nodes.tar'),
      await tarOf([
        device('disk', 'block', [Number(major), Number(minor)]),
        device('kmsg', 'character', [1, 11]),
        device('mem', 'character', [1, 1]),
        tarEntry('pipe', { type: 'fifo' }),
        { entry: tarEntry('suid', { mode: 0o4755 }), text: '#!/bin/sh\n' },
      ]),
    )
    await bale.run(['import', join(context, 'nodes.tar'), 'nodes:1'])
    writeFileSync(join(context, 'Dockerfile'), 'FROM nodes:1 AS nodes\nFROM busybox:1\nCOPY --from=nodes / /\n')
    const image = await bale.run(['build', '-q', context])
    const script =
      'ls -l /disk /pipe /suid | cut -c1-10; for node in /disk /kmsg /mem; do head -c 1 $node >/dev/null 2>&1 && echo "read $node"; done; :'
    assert.deepEqual((await bale.run(['run', '--rm', image, 'sh', '-c', script])).split('\n'), [
      'brw-rw-rw-',
      'prw-r--r--',
      '-rwsr-xr-x',
    ])
  },
)

test(
  'R17: a port published on loopback is reached there and nowhere else; without an address docker prints all',
  options,
  async () => {
    await using place = await prepared()
    const { bale } = place
    writeFileSync(join(bale.directory, 'page'), 'served')
    const served = ['-v', `${bale.directory}/page:/www/page:ro`, 'busybox:1', 'httpd', '-f', '-p', '80', '-h', '/www']
    await bale.run(['run', '-d', '--name', 'closed', '-p', '127.0.0.1::80', ...served])
    await bale.run(['run', '-d', '--name', 'open', '-p', '80', ...served])
    const portOf = async (name: string) => /^(\S+):(\d+)$/.exec((await bale.run(['port', name, '80'])).split('\n')[0]!)!
    const [, address, closed] = await portOf('closed')
    const [, everywhere, open] = await portOf('open')
    assert.deepEqual([address, everywhere], ['127.0.0.1', '0.0.0.0'])
    const gateway = await bale.run(['inspect', '-f', '{{.NetworkSettings.Gateway}}', 'closed'])
    const answer = async (host: string, port: string) => {
      try {
        return await (await fetch(`http://${host}:${port}/page`, { signal: AbortSignal.timeout(1500) })).text()
      } catch (error) {
        assert.match(String((error as Error).cause ?? error), /ECONNREFUSED|EHOSTUNREACH|TimeoutError|ECONNRESET/)
        return 'refused'
      }
    }
    const isServed = async (host: string, port: string) => (await answer(host, port)) === 'served'
    await until('the loopback address answers', () => isServed('127.0.0.1', closed!))
    await until('the open port answers', () => isServed(gateway, open!))
    assert.equal(await answer(gateway, closed!), 'refused')
    const inside = await bale.try([
      'run',
      '--rm',
      'busybox:1',
      'wget',
      '-T',
      '1',
      '-qO-',
      `http://${gateway}:${closed}/page`,
    ])
    assert.notEqual(inside.code, 0)
    assert.equal(inside.stdout, '')
  },
)
