/** Each rule of the default filter is tried to be broken, by a program that makes the calls in all ways there are. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultProfile } from '../../src/container/seccomp/default-profile.ts'
import { seccompFilter } from '../../src/container/seccomp/seccomp-filter.ts'
import { DEFAULT_CAPABILITIES } from '../../src/container/spec/capabilities.ts'
import type { TestBale } from '../kit/bale.ts'
import { cannotRun, prepared } from './prepared.ts'

const HEADERS = '/usr/include/x86_64-linux-gnu/asm'
const skip =
  cannotRun ||
  (process.arch !== 'x64' && 'the numbers of the system calls are those of x86-64') ||
  (!existsSync('/usr/bin/gcc') && 'no C compiler (gcc) to make the program that tries the calls') ||
  (!existsSync(`${HEADERS}/unistd_64.h`) && 'no kernel headers (linux-libc-dev)')
const runtimes = ['runc', 'crun'].filter((name) => existsSync(`/usr/bin/${name}`) || existsSync(`/usr/sbin/${name}`))

const EPERM = 1
const ENOSYS = 38
const AUDIT_ARCH_I386 = 0x40000003
const X32 = 0x40000000
const LARGEST = 2n ** 64n - 1n

interface Call {
  what: string
  number: number
  args: bigint[]
}

test('R09: the default filter holds against calls with 64-bit values and x32 calls', {
  skip,
}, async (t) => {
  await using place = await prepared()
  const { bale } = place
  const program = compiled(bale, 'calls')
  for (const runtime of runtimes)
    await t.test(runtime, async () => {
      const made = async (calls: readonly Call[]) => {
        const list = written(
          bale,
          calls.map(({ number, args }) => [number, ...three(args)]),
        )
        const mounts = ['-v', `${program}:/calls:ro`, '-v', `${list}:/list:ro`]
        const answers = await bale.run([
          ...['run', '--rm', '--runtime', runtime, '--network', 'none'],
          ...mounts,
          'busybox:1',
          '/calls',
          '/list',
        ])
        return results(calls, answers)
      }
      for (const { what, answer } of await made([...familyCalls(), ...otherCalls(), ...unlistedCalls('unistd_64.h')]))
        assert.ok([EPERM, ENOSYS].includes(answer), `${what}: ${answer}`)
      for (const { what, answer } of await made(allowedCalls())) assert.notEqual(answer, EPERM, what)
    })
})

test('R09: the filter that a container has holds against 32-bit calls', { skip }, async (t) => {
  await using place = await prepared()
  const { bale } = place
  const program = compiled(bale, 'filter')
  for (const runtime of runtimes)
    await t.test(runtime, async () => {
      const name = `asked-${runtime}`
      await bale.run([
        'run',
        '-d',
        '--name',
        name,
        '--runtime',
        runtime,
        '--network',
        'none',
        'busybox:1',
        'sleep',
        '1000',
      ])
      const pid = await bale.run(['inspect', '-f', '{{.State.Pid}}', name])
      const decided = (calls: readonly Call[]) => {
        const list = written(
          bale,
          calls.map(({ number, args }) => [AUDIT_ARCH_I386, number, ...three(args)]),
        )
        return results(calls, execFileSync(program, [pid, list], { encoding: 'utf8' }))
      }
      const denied = [...shortFamilyCalls(), ...unlistedCalls('unistd_32.h')]
      for (const { what, answer } of decided(denied))
        assert.ok([0x50000 + EPERM, 0x50000 + ENOSYS].includes(answer), `${what}: ${answer.toString(16)}`)
      const [getpid, socket] = decided([
        { what: 'getpid', number: 20, args: [] },
        { what: 'socket', number: 359, args: [1n, 1n] },
      ])
      assert.deepEqual([getpid?.answer, socket?.answer], [0x7fff0000, 0x7fff0000])
    })
})

function compiled({ directory }: TestBale, name: string): string {
  const program = join(directory, name)
  execFileSync('gcc', ['-static', '-O1', '-o', program, join(import.meta.dirname, 'programs', `${name}.c`)])
  return program
}

/** A file with a line of numbers for each call, three arguments at its end. */
function written({ directory }: TestBale, rows: readonly (number | bigint)[][]): string {
  const list = join(directory, 'list')
  writeFileSync(list, rows.map((row) => `${row.join(' ')}\n`).join(''))
  return list
}

const three = (args: readonly bigint[]) => [0, 1, 2].map((at) => args[at] ?? 0n)

function results(calls: readonly Call[], text: string): (Call & { answer: number })[] {
  const answers = text.trim().split('\n').map(Number)
  assert.equal(answers.length, calls.length, 'every call was made')
  return calls.map((call, at) => ({ ...call, answer: answers[at]! }))
}

/** AF_ALG, AF_VSOCK, the first that is not known yet, and one that there is not. */
const FAMILIES = [38n, 40n, 46n, 255n]

function familyCalls(): Call[] {
  const above = [0n, 2n ** 32n, 2n ** 63n, LARGEST - (2n ** 32n - 1n)]
  return FAMILIES.flatMap((family) => above.map((bits) => family + bits)).flatMap((value) => [
    { what: `socket(${value})`, number: 41, args: [value, 5n, 0n] },
    { what: `socketpair(${value})`, number: 53, args: [value, 5n, 0n] },
    { what: `x32 socket(${value})`, number: 41 | X32, args: [value, 5n, 0n] },
  ])
}

/** socketcall takes the family through a pointer: all that it could do is denied. */
function shortFamilyCalls(): Call[] {
  return [
    ...FAMILIES.map((family) => ({ what: `i386 socket(${family})`, number: 359, args: [family, 5n] })),
    ...FAMILIES.map((family) => ({ what: `i386 socketpair(${family})`, number: 360, args: [family, 5n] })),
    ...[1n, 8n, 3n].map((action) => ({ what: `i386 socketcall(${action})`, number: 102, args: [action, 0x20000n] })),
    ...NAMESPACES.map((flag) => ({ what: `i386 clone(${flag})`, number: 120, args: [flag] })),
  ]
}

const NAMESPACES = [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n]

/** New namespaces by clone, personalities that weaken the machine's guards. */
function otherCalls(): Call[] {
  const clones = NAMESPACES.flatMap((flag) => [flag, flag | 0x11n, flag + 2n ** 40n, flag + 2n ** 63n])
  const personalities = [0x40000n, 0x100000n, 0x40000n + 2n ** 32n, 2n ** 32n, LARGEST]
  return [
    ...clones.map((value) => ({ what: `clone(${value})`, number: 56, args: [value] })),
    { what: 'clone3', number: 435, args: [0n, 64n] },
    ...personalities.map((value) => ({ what: `personality(${value})`, number: 135, args: [value] })),
  ]
}

/** Each call of the kernel's headers that no rule of the filter allows. */
function unlistedCalls(header: string): Call[] {
  const target = { architecture: 'amd64', capabilities: DEFAULT_CAPABILITIES, kernel: '6.18.0' }
  const rules = seccompFilter(defaultProfile(), target).syscalls.filter((rule) => rule.action === 'SCMP_ACT_ALLOW')
  const allowed = new Set(rules.flatMap((rule) => rule.names))
  return [...readFileSync(join(HEADERS, header), 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm)]
    .filter(([, name]) => !allowed.has(name!))
    .map(([, name, number]) => ({ what: name!, number: Number(number), args: [LARGEST, LARGEST, LARGEST] }))
}

function allowedCalls(): Call[] {
  return [
    ...[1n, 2n, 10n, 16n].map((family) => ({ what: `socket(${family})`, number: 41, args: [family, 2n, 0n] })),
    { what: 'personality(PER_LINUX32)', number: 135, args: [8n] },
    { what: 'personality(PER_LINUX)', number: 135, args: [0n] },
    { what: 'getpid', number: 39, args: [] },
  ]
}
