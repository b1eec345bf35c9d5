import { BaleError, printable } from '#base'
import { type Platform, parsePlatform } from '#spec'
import { dockerfileError, explainAt } from '../dockerfile/index.ts'
import { createExpander } from '../instructions/index.ts'
import type { PlanScope } from './plan-scope.ts'
import { earlierStage, type Stage } from './stages.ts'

/** The base named by FROM, before anything is looked up. */
export type Base = { name: string; platform: Platform } & (
  | { kind: 'stage'; stage: Stage }
  | { kind: 'scratch' }
  /** Files that become the first layer. */
  | { kind: 'context' }
  | { kind: 'image'; reference: string }
)

/** A named context comes before a stage, a stage before an image. Throws DOCKERFILE_INVALID. */
export function chooseBase(scope: PlanScope, stage: Stage): Base {
  const { instruction, image, platform: flag } = stage.from
  try {
    const words = createExpander(instruction, scope.globals)
    const name = words.text(image)
    if (name === '') {
      throw dockerfileError(instruction.source, instruction.range.start, `base name (${image}) should not be blank`, {
        next: { act: 'give-build-argument' },
      })
    }
    const asked = flag === undefined ? '' : words.text(flag)
    const platform = asked === '' ? scope.platform : parsePlatform(asked)
    const place = scope.contexts.get(name)
    if (place !== undefined) {
      const reference = imageOfContext(place)
      return reference === undefined
        ? { kind: 'context', name, platform }
        : { kind: 'image', name, platform, reference }
    }
    const parent = earlierStage(scope.plan, name, stage.index)
    if (parent) return { kind: 'stage', name, platform, stage: parent }
    if (name.toLowerCase() === 'scratch') return { kind: 'scratch', name, platform }
    return { kind: 'image', name, platform, reference: name }
  } catch (error) {
    throw explainAt(instruction)(error)
  }
}

const IMAGE_SCHEME = 'docker-image://'
const LAYOUT_SCHEME = 'oci-layout://'

/** The image that a context refers to, as the machine finds it; undefined for files. */
export function imageOfContext(place: string): string | undefined {
  if (place.startsWith(IMAGE_SCHEME)) return place.slice(IMAGE_SCHEME.length)
  return place.startsWith(LAYOUT_SCHEME) ? place : undefined
}

/** Kinds of contexts that are known but not supported are refused by name. */
export function checkBuildContexts(contexts: ReadonlyMap<string, string>): void {
  for (const [name, place] of contexts) {
    const scheme = /^(target|git|ssh):/.exec(place)?.[1] ?? (/\.git(?:[?#]|$)/.test(place) ? 'git' : undefined)
    if (!scheme) continue
    throw new BaleError('UNSUPPORTED', `build context ${printable(name)}: ${scheme} is not supported yet`, {
      hint: 'a directory, docker-image://NAME, oci-layout://DIRECTORY:TAG, or the URL of a tar',
    })
  }
}
