import { withoutSecrets } from '#base'
import type { RecordedStep } from '#build'
import type { Descriptor, Digest } from '#spec'
import type { BuildStep, Material } from '#trust/attestation'
import {
  contextOperation,
  copyOperation,
  directoryOperation,
  httpOperation,
  type Inputs,
  llbPlatform,
  runOperation,
  sourceOperation,
} from './llb-operations.ts'
import { fetchedBy, pinnedName } from './materials.ts'

/** What is known of the image beside its steps. */
interface KnownImage {
  /** The material that an image node took. */
  materialOf(step: RecordedStep): Material | undefined
  /** Its layers as its manifest has them, and as its config has them. */
  layers: readonly Descriptor[]
  diffIds: readonly Digest[]
}

/**
 * What a build did, in the words of BuildKit's LLB; bale itself has its own graph. These parts of LLB are left out: digests of
 * operations, the content of heredocs (it is in the Dockerfile), proxies, and the merge that `COPY --link` is made with.
 */
export function llbSteps(steps: readonly RecordedStep[], known: KnownImage): BuildStep[] {
  const list = new StepList(known)
  for (const step of steps) list.add(step)
  return list.steps
}

type About = Pick<BuildStep, 'lines' | 'layers'>

class StepList {
  readonly steps: BuildStep[] = []
  readonly #known: KnownImage
  /** Where the files of a node are; nowhere for those of `scratch`. */
  readonly #places = new Map<string, number | undefined>()

  constructor(known: KnownImage) {
    this.#known = known
  }

  add(step: RecordedStep): void {
    this.#places.set(step.node.id, this.#place(step))
  }

  #place(step: RecordedStep): number | undefined {
    const { node, lines } = step
    const about = { lines, layers: this.#layersOf(step) }
    switch (node.operation) {
      case 'scratch':
        return undefined
      case 'stage':
        return this.#places.get(node.inputs[0]!)
      case 'image': {
        const material = this.#known.materialOf(step)
        return this.#push([], sourceOperation(pinnedName(material) ?? node.label, node.platform), about)
      }
      case 'context':
        return this.#push([], sourceOperation(placeOf(step)), about)
      case 'run':
        return this.#over(step, [], about, (inputs) => runOperation(node, inputs))
      case 'copy': {
        const fetched = fetchedBy(step).map(({ url, checksum }) => this.#push([], httpOperation(url, checksum), {}))
        return this.#over(step, fetched, about, (inputs, count) => copyOperation(node, inputs, count))
      }
      case 'workdir':
        return this.#over(step, [], about, (inputs, count) => directoryOperation(node, inputs, count))
      case 'context-layer':
        return this.#over(step, [], about, contextOperation)
    }
  }

  /** An operation over the files that its node reads, and over those of other places. */
  #over(
    { node }: RecordedStep,
    others: readonly number[],
    about: About,
    make: (inputs: Inputs, count: number) => BuildStep['operation'],
  ): number {
    const places = [...node.inputs.map((id) => this.#places.get(id)), ...others]
    const inputs = [...new Set(places.filter((place) => place !== undefined))]
    const positions = places.map((place) => (place === undefined ? -1 : inputs.indexOf(place)))
    return this.#push(inputs, { ...make(positions, inputs.length), platform: llbPlatform(node.platform) }, about)
  }

  #push(inputs: readonly number[], operation: BuildStep['operation'], about: About): number {
    this.steps.push({ inputs, operation, ...about })
    return this.steps.length - 1
  }

  /** Of files that are the beginning of the image. */
  #layersOf({ layers }: RecordedStep): readonly Descriptor[] | undefined {
    const { diffIds } = this.#known
    if (!layers?.every((layer, at) => layer === diffIds[at])) return undefined
    return this.#known.layers.slice(0, layers.length)
  }
}

/** The build context is `context`; others have the names that they were given. */
function placeOf(step: RecordedStep): string {
  const [fetched] = fetchedBy(step)
  return fetched ? withoutSecrets(fetched.url) : `local://${contextName(step)}`
}

/** What a context is called; `context` for that of the build. */
export function contextName({ node }: RecordedStep): string {
  return node.id === 'context' ? node.id : node.id.slice('context '.length)
}
