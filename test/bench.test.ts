/** How the bench judges: the figures themselves need an idle machine, what is made of them does not. */
import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { barText, bestPeer, judge, type Samples } from '../bench/bars.ts'
import { watchDaemons } from '../bench/daemons.ts'
import { growthTable, missedBars } from '../bench/growth/growth-table.ts'
import { SERIES } from '../bench/growth/index.ts'
import { growthOf, sizesOf } from '../bench/growth/series.ts'
import { chosen, parseOptions } from '../bench/options.ts'
import { PAGE, withPart } from '../bench/page.ts'
import { play } from '../bench/play.ts'
import { Results } from '../bench/results.ts'
import type { Bench, Row } from '../bench/row.ts'
import { playOrder, SECTIONS } from '../bench/rows/index.ts'
import { failuresText, sectionText } from '../bench/table.ts'
import { figuresOf, median, type Timing, timed } from '../bench/timed.ts'
import type { Tool } from '../bench/tools/index.ts'

const TOOLS = ['bale', 'podman', 'docker']
const seconds = (...all: number[]): Timing[] => all.map((one) => ({ seconds: one, peakMegabytes: one * 100 }))
const samples = (cells: Record<string, Timing[]>): Samples => new Map(Object.entries(cells))

test('a median is the middle, or the mean of both', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
})

test('a ratio is that of medians, to a tool, to the fastest peer or to the yardstick', () => {
  const row = samples({ bale: seconds(9, 1, 2), podman: seconds(4), docker: seconds(5), yardstick: seconds(1) })
  assert.deepEqual(bestPeer(row), { name: 'podman', seconds: 4 })
  assert.deepEqual(judge({ ratio: 0.5, of: 'podman' }, row, 1), { bar: '0.5 of podman', share: 1, state: 'met' })
  assert.equal(judge({ ratio: 0.4, of: 'docker' }, row, 1).state, 'met')
  assert.equal(judge({ ratio: 0.4, of: 'best' }, row, 1).state, 'missed')
  assert.deepEqual(judge({ ratio: 1.5, of: 'yardstick' }, row, 1).share, 2 / 1.5)
})

test('a bar is missed by more than a tenth only', () => {
  const state = (figure: number) => judge({ seconds: 1 }, samples({ bale: seconds(figure) }), 1).state
  assert.deepEqual([0.99, 1, 1.01, 1.1, 1.11].map(state), ['met', 'met', 'close', 'close', 'missed'])
})

test('bars in seconds grow with the time that bare Node takes, others do not', () => {
  const row = samples({ bale: seconds(1.5), podman: seconds(1) })
  assert.equal(judge({ seconds: 1 }, row, 1).state, 'missed')
  assert.equal(judge({ seconds: 1 }, row, 2).state, 'met')
  assert.equal(barText({ seconds: 1 }, 2), '2.000 s (1 × 2.00)')
  assert.equal(judge({ ratio: 1, of: 'podman' }, row, 2).state, 'missed')
  assert.equal(judge({ megabytes: 100 }, row, 2).state, 'missed')
})

test('a limit of memory holds for every sample, not for the median', () => {
  assert.equal(judge({ megabytes: 200 }, samples({ bale: seconds(1, 1, 3) }), 1).state, 'missed')
})

test('a row without a figure of bale misses its bars, one without a figure of the peer is not judged', () => {
  const bar = { ratio: 1, of: 'podman' }
  assert.equal(judge(bar, samples({ podman: seconds(1) }), 1).state, 'missed')
  assert.equal(judge(bar, samples({ bale: seconds(1) }), 1).state, 'not judged')
  assert.equal(
    judge({ ratio: 1, of: 'best' }, samples({ bale: seconds(1), yardstick: seconds(9) }), 1).state,
    'not judged',
  )
  assert.equal(judge({ megabytes: 1 }, samples({ bale: [{ seconds: 1 }] }), 1).lack, 'it was not measured')
})

test('rows are chosen by name, by group, or by the first word; another name is an error that lists what there is', () => {
  const groups = SECTIONS.map(({ name, rows }) => ({ name, members: rows }))
  const names = (...only: string[]) => chosen(only, groups).map(({ name }) => name)
  assert.deepEqual(names('exec', 'build again'), ['exec true', 'build again'])
  assert.deepEqual(names('start'), ['--version', 'ps', 'images'])
  assert.deepEqual(names('push'), ['push gzip', 'push zstd'])
  assert.equal(names().length, SECTIONS.flatMap(({ rows }) => rows).length)
  assert.throws(() => names('exec', 'nothing'), /'nothing'.*build again.*reads/s)
})

test('options that cannot be meant are refused', () => {
  const parse = (...args: string[]) => parseOptions(args, TOOLS)
  assert.deepEqual(parse('--only', 'exec,build again', '--rounds', '2').only, ['exec', 'build again'])
  assert.throws(() => parse('--rounds', '0'), /--rounds 0/)
  assert.throws(() => parse('--rounds', '1.5'), /whole number/)
  assert.throws(() => parse('--scale', 'x'), /--scale x/)
  assert.throws(() => parse('--tools', 'bale,pod'), /no tool pod; there are bale, podman, docker/)
  assert.throws(() => parse('--tools', 'podman'), /bale must be/)
  assert.throws(() => parse('--chekc'), /--chekc/)
  assert.throws(() => parse('--write', '--only', 'ps'), /--write needs all rows/)
})

test('names of rows and series are unique and have no comma, and their bars name tools that exist', () => {
  const rows = SECTIONS.flatMap((section) => section.rows)
  const names = [...rows, ...SECTIONS].map(({ name }) => name)
  assert.deepEqual(names, [...new Set(names)])
  assert.ok([...names, ...SERIES.map(({ name }) => name)].every((name) => !name.includes(',')))
  const peers = rows.flatMap(({ bars = [], yardstick }) =>
    bars.flatMap((bar) => ('ratio' in bar && !(bar.of === 'yardstick' && yardstick) ? bar.of : [])),
  )
  assert.deepEqual([...new Set(peers)].sort(), ['best', 'podman', 'trivy'])
  assert.deepEqual(
    playOrder(rows)
      .map(({ name }) => name)
      .sort(),
    rows.map(({ name }) => name).sort(),
  )
})

test('figures are read from behind what the command itself said', () => {
  const said =
    'time: now\nwarning\npeak: 2048\ntime: 1.234 0.500 0.250\nrchar: 5\nwchar: 6\nread_bytes: 7\nwrite_bytes: 8\n'
  const expected = { seconds: 1.234, processorSeconds: 0.75, peakMegabytes: 2, bytesRead: 5, bytesWritten: 8 }
  assert.deepEqual(figuresOf(said), expected)
  assert.throws(() => figuresOf('nothing'), /no figures/)
})

test('a command is measured with its children; one that fails or takes too long is an error', {
  skip: withoutTime(),
}, async () => {
  const env = { PATH: process.env['PATH']! }
  const { seconds, bytesRead } = await timed(['sh', '-c', 'head -c 3000000 /dev/zero | cat > /dev/null; sleep 0.1'], {
    env,
  })
  assert.ok(seconds >= 0.1 && seconds < 5, `${seconds} s`)
  assert.ok(bytesRead! >= 6e6 && bytesRead! < 9e6, `${bytesRead} bytes`)
  await assert.rejects(timed(['sh', '-c', 'echo no luck >&2; exit 3'], { env }), /failed \(3\): no luck$/)
  await assert.rejects(timed(['sleep', '60'], { env, limit: 0.1 }), /ended after 0.1 s/)
  await assert.rejects(timed(['sleep', '60'], { env, signal: AbortSignal.timeout(100) }), /interrupted|aborted/)
})

test('what a daemon does between two looks is counted, and nothing of before', () => {
  const read = (bytes: number) => {
    const zeros = openSync('/dev/zero', 'r')
    readSync(zeros, Buffer.alloc(bytes))
    closeSync(zeros)
  }
  read(50e6)
  const figures = watchDaemons([process.pid])
  read(5e6)
  const { bytesRead, processorSeconds, peakMegabytes } = figures()
  assert.ok(bytesRead >= 5e6 && bytesRead < 6e6, `${bytesRead} bytes`)
  assert.ok(processorSeconds < 10 && peakMegabytes > 20 && peakMegabytes < 4000)
  assert.deepEqual(watchDaemons([])(), { processorSeconds: 0, peakMegabytes: 0, bytesRead: 0, bytesWritten: 0 })
})

function withoutTime(): string | false {
  return existsSync('/usr/bin/time') ? false : 'the Debian package time is not installed'
}

test('a peer that fails is noted with the reason, and everything else goes on', async () => {
  const played: string[] = []
  const row = (name: string): Row => ({
    name,
    does: '',
    bars: [{ ratio: 0.5, of: 'best' }],
    async play({ tool, round, add }) {
      played.push(`${name} ${tool.name} ${round}`)
      if (tool.name === 'docker') return
      add({ seconds: 1 })
      if (tool.name === 'podman' && name === 'first') throw new Error('no space\nleft')
    },
  })
  const rows = [row('first'), row('second')]
  const results = new Results()
  const tools = TOOLS.map(fakeTool)
  await play({ bench: {} as Bench, rows, tools, rounds: 2, results })
  assert.deepEqual(
    played.filter((line) => line.includes('podman')),
    ['first podman 1', 'second podman 1', 'second podman 2'],
  )
  assert.equal(results.ownFailure, false)
  assert.equal(results.of('first').has('podman'), false, 'a failed cell shows no figure')
  const text = sectionText({ name: 'x', title: 'X', rows }, { results, tools: TOOLS, slowness: 1 })
  assert.match(text, /\| first \| 1\.00 \| failed \| {2}\| 0\.5 of the best \| not judged/)
  assert.match(text, /\| second \| 1\.00 \| 1\.00 \| 1\.00 \(podman\) \| 0\.5 of the best \| \*\*missed\*\* \(2\.00/)
  assert.equal(failuresText(results), '- first, podman: no space left')
})

test('a failure of bale is one of the project, and the peers are measured all the same', async () => {
  const row: Row = {
    name: 'row',
    does: '',
    async play({ tool, add }) {
      if (tool.name === 'bale') throw new Error('broken')
      add({ seconds: 1 })
    },
  }
  const results = new Results()
  await play({ bench: {} as Bench, rows: [row], tools: TOOLS.map(fakeTool), rounds: 1, results })
  assert.equal(results.ownFailure, true)
  assert.deepEqual([...results.of('row').keys()], ['podman', 'docker'])
})

test('an interrupted run ends at once', async () => {
  const row: Row = { name: 'row', does: '', play: async () => assert.fail('played') }
  const signal = AbortSignal.abort(new Error('interrupted'))
  const options = {
    bench: {} as Bench,
    rows: [row],
    tools: [fakeTool('bale')],
    rounds: 1,
    results: new Results(),
    signal,
  }
  await assert.rejects(play(options), /interrupted/)
})

const fakeTool = (name: string): Tool => ({
  name,
  version: name,
  env: {},
  about: [name],
  [Symbol.asyncDispose]: async () => undefined,
})

test('a series has one, a tenth, a third and the whole, and fewer where they are alike', () => {
  assert.deepEqual(sizesOf(300, 1), [1, 30, 100, 300])
  assert.deepEqual(sizesOf(127, 0.01), [1])
})

test('what costs more for each of many is not linear; what is the same for any size is not counted', () => {
  const line = (...all: [number, number][]) => all.map(([size, seconds]) => ({ size, seconds }))
  assert.equal(growthOf(line([1, 5], [11, 15], [101, 105])), 1)
  assert.equal(growthOf(line([1, 5], [11, 15], [101, 205])), 2)
  assert.equal(growthOf(line([1, 5], [11, 5.1], [51, 10], [101, 25])), 2, 'the tenth is too near to one')
  assert.equal(growthOf(line([1, 5], [11, 5.1], [101, 5.2])), undefined, 'nothing grows')
  assert.equal(growthOf(line([1, 5])), undefined)
  const points = new Map([
    ['images', line([1, 0], [11, 1], [101, 20]).map(({ size, seconds: one }) => ({ size, timings: seconds(one) }))],
  ])
  const series = SERIES.find(({ name }) => name === 'names')!
  assert.match(growthTable([{ series, points }], 1), /\| 2\.00 \*\*not linear\*\* \|/)
  assert.deepEqual(missedBars([{ series, points }], 1), ['names, images: 0.15 s: 133.33 of the bar'])
  assert.deepEqual(missedBars([{ series, points: new Map() }], 1), ['names, images: 0.15 s: bale has no figure'])
})

test('the page has a place for each generated part, and the rest of it stays', () => {
  for (const part of ['tables', 'growth'] as const) {
    const page = withPart(readTextSync(PAGE), part, 'NEW')
    assert.match(page, new RegExp(`<!-- bench:${part}:begin -->\n\nNEW\n\n<!-- bench:${part}:end -->`))
    const without = (text: string) => withPart(text, part, '')
    assert.equal(without(page), without(readTextSync(PAGE)))
    assert.throws(() => withPart('# Performance', part, 'NEW'), /must have/)
  }
})
