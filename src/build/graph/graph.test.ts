// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfile words
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { BaleError, createLimiter, type ProgressEvent, systemClock } from '#base'
import type { Digest, ImageConfig } from '#spec'
import { parseDockerfile } from '../dockerfile/index.ts'
import { evaluateGlobals, predefinedArguments } from './build-arguments.ts'
import { growGraph } from './grow-graph.ts'
import { type GraphNode, isStep, type StepNode } from './node.ts'
import type { PlanScope } from './plan-scope.ts'
import { type SolveOptions, solve } from './solve.ts'
import { planStages, targetStage } from './stages.ts'
import type { Files, Runners, Step, TakenStep } from './step.ts'

const platform = { os: 'linux', architecture: 'amd64' }

function scopeOf(text: string, contexts: [string, string][] = []): PlanScope {
  const plan = planStages(parseDockerfile(text))
  const given = new Map<string, string>()
  const globals = evaluateGlobals(plan, given, predefinedArguments(platform, platform, undefined))
  return { plan, given, globals, platform, network: 'bridge', allowed: new Set(), contexts: new Map(contexts) }
}

function grow(scope: PlanScope, config: ImageConfig['config'] = {}) {
  return growGraph(scope, {
    findImage: async ({ reference, platform }) => {
      const image: ImageConfig = { ...platform, config, rootfs: { type: 'layers', diff_ids: [] } }
      return { config: image, platform, reference, shown: reference }
    },
  })
}

/** All nodes that a target needs, inputs first. */
async function nodesOf(text: string, contexts?: [string, string][], config?: ImageConfig['config']) {
  const scope = scopeOf(text, contexts)
  const graph = grow(scope, config)
  const nodes = new Map<string, GraphNode>()
  const visit = async (id: string): Promise<void> => {
    if (nodes.has(id)) return
    const node = await graph.node(id)
    for (const input of node.inputs) await visit(input)
    nodes.set(id, node)
  }
  const target = String(targetStage(scope.plan, undefined).index)
  await visit(target)
  return { target, nodes: [...nodes.values()] }
}

describe('a graph is plain data', () => {
  const table: [string, [string, string][]][] = [
    ['stages', []],
    ['inputs', [['files', '/some/directory']]],
  ]
  for (const [name, contexts] of table) {
    const place = (ending: string) => new URL(`../../../test/golden/graph/${name}.${ending}`, import.meta.url)
    const text = readFileSync(place('Dockerfile'), 'utf8')

    test(`${name}: the nodes are those of the golden file`, async () => {
      const found = await nodesOf(text, contexts, { Env: ['PATH=/bin'] })
      if (process.env['UPDATE_GOLDEN']) writeFileSync(place('json'), JSON.stringify(found, undefined, 2))
      assert.deepEqual(found, JSON.parse(readFileSync(place('json'), 'utf8')))
    })

    test(`${name}: JSON keeps all of it, and what it keeps can be solved`, async () => {
      const { nodes, target } = await nodesOf(text, contexts)
      const read = JSON.parse(JSON.stringify(nodes)) as GraphNode[]
      assert.deepEqual(read, nodes)
      const machine = fakeMachine()
      const byId = new Map(read.map((node) => [node.id, node]))
      await solve({ node: (id) => byId.get(id)! }, target, machine.options)
      assert.deepEqual(new Set(machine.executed), new Set(read.filter(isStep).map(({ id }) => id)))
    })
  }
})

describe('solve', () => {
  const text = 'FROM a AS one\nRUN 1\nFROM a AS two\nRUN 2\nFROM one\nRUN 3\nCOPY --from=two / /\nCOPY --from=two / /'

  test('every node is done once, and only what the target needs', async () => {
    const scope = scopeOf(`${text}\nFROM a AS unneeded\nRUN 4`)
    const machine = fakeMachine()
    const { steps, files } = await solve(grow(scope), '2', machine.options)
    assert.deepEqual(machine.executed.toSorted(), ['0.2', '1.2', '2.1', '2.2', '2.3'])
    assert.deepEqual(machine.sources, ['image linux/amd64 a'])
    assert.deepEqual(files.layers, ['0.2', '2.1', '2.2', '2.3'])
    assert.deepEqual([...steps.keys()].toSorted(), machine.executed.toSorted())
  })

  test('independent stages are executed at the same time, as many as are allowed', async () => {
    for (const jobs of [1, 2]) {
      let most = 0
      let running = 0
      const both = Promise.withResolvers<void>()
      const machine = fakeMachine({
        jobs,
        async execute(id) {
          if (id !== '0.2' && id !== '1.2') return
          most = Math.max(most, ++running)
          // With two jobs each waits until the other has begun.
          if (running === jobs) both.resolve()
          await both.promise
          running--
        },
      })
      await solve(grow(scopeOf(text)), '2', machine.options)
      assert.equal(most, jobs)
    }
  })

  test('the first failure stops the others, and is what is thrown, with its place', async () => {
    const stopped: string[] = []
    const begun = Promise.withResolvers<void>()
    const machine = fakeMachine({
      async execute(id, signal) {
        if (id === '1.2') {
          await begun.promise
          throw new BaleError('BUILD_FAILED', 'no space')
        }
        begun.resolve()
        const { promise, resolve } = Promise.withResolvers<void>()
        signal.addEventListener('abort', () => resolve())
        await promise
        stopped.push(id)
        throw signal.reason
      },
    })
    await assert.rejects(solve(grow(scopeOf(text)), '2', machine.options), /^BaleError: Dockerfile:4:1: no space\n/)
    assert.deepEqual(stopped, ['0.2'], 'and it is waited for')
  })

  test('a mistake in a stage shows before any step of it is executed', async () => {
    const machine = fakeMachine()
    const wrong = 'FROM a\nRUN 1\nLABEL a=${x:?needed}'
    await assert.rejects(solve(grow(scopeOf(wrong)), '0', machine.options), /Dockerfile:3:9: x: needed/)
    assert.deepEqual(machine.executed, [])
  })

  test('what the cache has is not executed', async () => {
    const machine = fakeMachine({ cached: ['0.2', '1.2'] })
    await solve(grow(scopeOf(text)), '2', machine.options)
    assert.deepEqual(machine.executed, ['2.1', '2.2', '2.3'])
    const states = machine.events.flatMap((event) => (event.kind === 'step' ? `${event.id} ${event.state}` : []))
    assert.deepEqual(
      states.filter((state) => state.startsWith('0.')),
      ['0.2 cached'],
    )
    assert.deepEqual(
      states.filter((state) => state.startsWith('2.1')),
      ['2.1 start', '2.1 done'],
    )
  })
})

test('a stage below, and this one, cannot be copied from; the message shows the line', async () => {
  for (const name of ['last', '2', '1']) {
    await assert.rejects(
      nodesOf(`FROM a\nFROM b AS last\nCOPY --from=${name} / /`),
      /Dockerfile:3:1: (?:the stage|there)/,
    )
  }
})

/** A machine on which every step makes a layer named like the node. */
function fakeMachine({
  jobs = 2,
  cached = [] as string[],
  execute = async (_id: string, _signal: AbortSignal): Promise<void> => undefined,
} = {}) {
  const executed: string[] = []
  const sources: string[] = []
  const events: ProgressEvent[] = []
  const stop = new AbortController()
  const filesOf = (layers: readonly Digest[], label: string): Files => ({
    label,
    layers,
    open: async () => assert.fail('nothing is opened'),
  })
  const source = async ({ id, label }: GraphNode): Promise<Files> => {
    sources.push(id)
    return filesOf([], label)
  }
  const step = async ({ id }: StepNode): Promise<Step> => ({
    keys: [async () => id],
    async execute() {
      executed.push(id)
      await execute(id, stop.signal)
      return { diffId: id as Digest }
    },
  })
  const runners: Runners = {
    ...{ scratch: source, image: source, context: source },
    ...{ run: step, copy: step, workdir: step, 'context-layer': step },
  }
  const options: SolveOptions = {
    runners,
    filesOf,
    cache: {
      async find({ keys }) {
        const id = await keys[0]!()
        return cached.includes(id) ? { diffId: id as Digest, created: 'before' } : undefined
      },
      keep: async (_step, { diffId }): Promise<TakenStep> => ({ diffId, created: 'now' }),
    },
    ...{ limited: createLimiter(jobs), clock: systemClock, stop },
    progress: (event) => events.push(event),
  }
  return { options, executed, sources, events }
}
