import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resources } from '../model/options.ts'
import { checkOomScore, checkResources, possibleResources } from './check-resources.ts'

const here = { cpus: '0-1', memoryNodes: '0' }
const MIB = 2 ** 20

test('limits that no container can have are refused in the words of docker', () => {
  const cases: [Resources, RegExp][] = [
    [{ memory: MIB }, /^Minimum memory limit allowed is 6MB$/],
    [{ memory: -1 }, /^Minimum memory limit/],
    [{ memory: 100 * MIB, memorySwap: 50 * MIB }, /^Minimum memoryswap limit should be larger than memory limit/],
    [{ memorySwap: 50 * MIB }, /^You should always set the Memory limit when using Memoryswap limit/],
    [{ memory: 64 * MIB, memorySwap: -2 }, /memory-swap/],
    [{ memoryReservation: MIB }, /^Minimum memory reservation allowed is 6MB$/],
    [
      { memory: 64 * MIB, memoryReservation: 65 * MIB },
      /^Minimum memory limit can not be less than memory reservation/,
    ],
    [{ memorySwappiness: 101 }, /^invalid value: 101\. Valid memory swappiness range is 0-100$/],
    [{ memorySwappiness: -2 }, /^invalid value: -2/],
    [{ nanoCpus: 2.01e9 }, /^range of CPUs is from 0\.01 to 2\.00, as there are only 2 CPUs available$/],
    [{ nanoCpus: -1e9 }, /^range of CPUs/],
    [{ nanoCpus: 1e6 }, /^range of CPUs/],
    [{ nanoCpus: 1e9, cpuQuota: 5000 }, /^Conflicting options: Nano CPUs and CPU Quota cannot both be set$/],
    [{ nanoCpus: 1e9, cpuPeriod: 5000 }, /^Conflicting options: Nano CPUs and CPU Period cannot both be set$/],
    [{ cpuPeriod: 999 }, /^CPU cfs period can not be less than 1ms/],
    [{ cpuPeriod: 1_000_001 }, /^CPU cfs period/],
    [{ cpuQuota: 5 }, /^CPU cfs quota can not be less than 1ms/],
    [{ cpuShares: 1 }, /^the minimum allowed cpu-shares is 2$/],
    [{ cpuShares: -5 }, /^the minimum allowed/],
    [{ cpuShares: 262_145 }, /^the maximum allowed cpu-shares is 262144$/],
    [{ cpusetCpus: '77' }, /^Requested CPUs are not available - requested 77, available: 0-1$/],
    [{ cpusetCpus: '0-2' }, /^Requested CPUs are not available/],
    [{ cpusetCpus: 'x' }, /^Invalid value x for cpuset cpus: invalid format: x$/],
    [{ cpusetCpus: '1-0' }, /invalid format/],
    [{ cpusetCpus: '0-4000000000' }, /invalid format/],
    [{ cpusetMems: '5' }, /^Requested memory nodes are not available - requested 5, available: 0$/],
    [{ blkioWeight: 9 }, /^Range of blkio weight is from 10 to 1000$/],
    [{ blkioWeight: 1001 }, /^Range of blkio weight/],
  ]
  for (const [asked, message] of cases)
    assert.throws(() => checkResources(asked, here), { code: 'INVALID_ARGUMENT', message }, JSON.stringify(asked))
  assert.throws(() => checkOomScore(2000), /^.*Invalid value 2000, range for oom score adj is \[-1000, 1000\]$/)
})

test('limits at the edge of the possible are taken, 0 is no wish, and an OOM killer without limit is doubtful', () => {
  const fine: Resources[] = [
    { memory: 6 * MIB, memorySwap: 6 * MIB, memoryReservation: 6 * MIB, memorySwappiness: 0 },
    { memory: 64 * MIB, memorySwap: -1 },
    { memory: 0, memorySwap: 0, nanoCpus: 0, cpuShares: 0, cpuQuota: 0, cpuPeriod: 0, blkioWeight: 0, pidsLimit: 0 },
    { nanoCpus: 2e9, cpusetCpus: '0,1', cpusetMems: '0' },
    { cpuQuota: -1, cpuPeriod: 1000, cpuShares: 2, pidsLimit: -5 },
    { oomKillDisable: true, memory: 64 * MIB },
  ]
  for (const asked of fine) assert.deepEqual(checkResources(asked, here), [], JSON.stringify(asked))
  assert.deepEqual(checkResources({ memorySwap: 64 * MIB }, here, { update: true }), [])
  assert.match(checkResources({ oomKillDisable: true }, here).join(), /OOM killer is disabled/)
  checkOomScore(-1000)
})

test("limits that the machine's control groups lack are dropped with a warning, and no others", () => {
  const asked = { memory: 64 * MIB, oomKillDisable: true, memorySwappiness: 10, blkioWeight: 500 }
  const unified = possibleResources(asked, { version: 2, controllers: new Map([['memory', '/sys/fs/cgroup']]) })
  assert.deepEqual(unified.resources, { memory: 64 * MIB, blkioWeight: 500 })
  assert.deepEqual(unified.warnings, [
    'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
    'Your kernel does not support memory swappiness capabilities. Memory swappiness discarded.',
  ])
  const old = possibleResources(asked, { version: 1, controllers: new Map([['blkio', '/nonexistent']]) })
  assert.deepEqual(old.resources, { memory: 64 * MIB, oomKillDisable: true, memorySwappiness: 10 })
  assert.deepEqual(old.warnings, ['Your kernel does not support Block I/O weight. Weight discarded.'])
})
