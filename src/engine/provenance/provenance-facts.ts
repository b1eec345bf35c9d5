import { basename } from 'node:path'
import { withoutSecrets } from '#base'
import type { BuildOptions, BuiltImage } from '#build'
import type { Descriptor, Platform } from '#spec'
import type { ProvenanceFacts } from '#trust/attestation'
import type { BuildAccount } from './build-account.ts'
import { requestOf } from './build-request.ts'
import { llbSteps } from './llb-steps.ts'
import { imageMaterial, materialsOf } from './materials.ts'
import { readSteps } from './read-steps.ts'

/** A build that has ended, and the image that it made. */
interface EndedBuild {
  built: BuiltImage
  asked: BuildOptions
  account: BuildAccount
  /** Milliseconds since 1970. */
  started: number
  finished: number
  /** Of the machine that built. */
  platform: Platform
  /** As the image's manifest has them. */
  layers: readonly Descriptor[]
}

/** What provenance says of a build. With SOURCE_DATE_EPOCH the same build has the same facts. */
export function provenanceFacts(build: EndedBuild): ProvenanceFacts {
  const { built, asked, account, platform, layers, started, finished } = build
  const { record, image } = built
  const { sourceDateEpoch: epoch } = record
  const steps = readSteps(record.steps)
  const { diff_ids: diffIds } = image.config.rootfs
  return {
    source: sourceOf(built, asked, account),
    request: requestOf(asked, steps),
    materials: materialsOf(steps, account, asked.context.kind === 'url' ? asked.context.url : undefined),
    definition: {
      dockerfile: { name: basename(record.dockerfile.name), text: withoutSecrets(record.dockerfile.text) },
      steps: llbSteps(steps, { materialOf: (step) => imageMaterial(step, account), layers, diffIds }),
    },
    network: steps.some(({ node }) => node.operation === 'run' && node.definition.network !== 'none'),
    platform,
    ...(epoch === undefined
      ? { started, finished, invocation: crypto.randomUUID() }
      : { started: epoch * 1000, finished: epoch * 1000 }),
  }
}

/** A local Dockerfile is known by its last name alone; text without a file is what docker calls it: a Dockerfile. */
function sourceOf(
  { record }: BuiltImage,
  { context, dockerfile }: BuildOptions,
  account: BuildAccount,
): ProvenanceFacts['source'] {
  const path = dockerfile?.kind === 'text' ? 'Dockerfile' : record.dockerfile.name
  if (context.kind !== 'url') return { path: basename(path) }
  return { url: withoutSecrets(context.url), digest: account.fetched(context.url), path }
}
