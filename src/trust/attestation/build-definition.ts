import type { Descriptor } from '#spec'
import type { JsonDocument } from '#trust/sbom'

/** One operation of a build. */
export interface BuildStep {
  /** Where in the list of steps its inputs are; each of them is before it. */
  readonly inputs: readonly number[]
  /** In the words of BuildKit's LLB. Source: moby/buildkit, solver/pb/ops.proto and json.go. */
  readonly operation: JsonDocument
  /** Of the Dockerfile, counted from 1. */
  readonly lines?: { readonly first: number; readonly last: number }
  /** All layers of its result, when the image has them. */
  readonly layers?: readonly Descriptor[]
}

/** What a build did, and from which text it took that. */
export interface BuildDefinition {
  readonly dockerfile: { readonly name: string; readonly text: string }
  /** The last one makes the result. */
  readonly steps: readonly BuildStep[]
}

/** The operations of a build, `step0` and so on. Behind the last one is what BuildKit has there: a step that only names the result. */
export function buildConfig({ steps }: BuildDefinition) {
  const last = steps.length
  const end = last === 0 ? [] : [{ id: stepId(last), op: { Op: {} }, inputs: [outputOf(last - 1)] }]
  const made = steps.map(({ operation, inputs }, at) => ({
    id: stepId(at),
    op: operation,
    inputs: inputs.length === 0 ? undefined : inputs.map(outputOf),
  }))
  return { llbDefinition: [...made, ...end] }
}

/** The Dockerfile, and the lines that each step comes from. */
export function sourceMap({ dockerfile, steps }: BuildDefinition) {
  return {
    locations: Object.fromEntries(
      steps.flatMap(({ lines }, at) => {
        if (!lines) return []
        const range = { start: { line: lines.first }, end: { line: lines.last } }
        return [[stepId(at), { locations: [{ ranges: [range] }] }]]
      }),
    ),
    infos: [{ filename: dockerfile.name, language: 'Dockerfile', data: base64(dockerfile.text) }],
  }
}

/** The layers of each step's result, for those whose layers the image has. */
export function layerMap({ steps }: BuildDefinition) {
  const found = steps.flatMap(({ layers }, at) => {
    if (!layers || layers.length === 0) return []
    return [[outputOf(at), [layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }))]] as const]
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

const stepId = (at: number) => `step${at}`
const outputOf = (at: number) => `${stepId(at)}:0`

const base64 = (text: string) => Buffer.from(text).toString('base64')
