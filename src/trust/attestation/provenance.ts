import { digestOf } from '#blob'
import { type Digest, encodeDocument, formatPlatform, hexOf, normalizePlatform, type Platform } from '#spec'
import { jsonDocument } from '#trust/sbom'
import { type BuildDefinition, buildConfig, layerMap, sourceMap } from './build-definition.ts'
import { imageUrl, localImageUrl } from './image-url.ts'
import { digestSet, type Predicate } from './statement.ts'

/** Something that a build took from elsewhere. */
export type Material =
  | {
      kind: 'image'
      image: { registry: string; repository: string; tag?: string; digest?: Digest }
      platform: Platform
      digest: Digest
    }
  /** An image that FROM names by an ID or a directory, not by a name of a registry. */
  | { kind: 'local-image'; name: string; version: string; platform: Platform; digest: Digest }
  /** Undefined: what the address gave was not read. */
  | { kind: 'url'; url: string; digest: Digest | undefined }

/** What was asked for, in the words of BuildKit's frontend. */
export interface BuildRequest {
  /** `build-arg:NAME`, `label:NAME`, `target` … */
  readonly args: Readonly<Record<string, string>>
  readonly secrets: readonly { readonly id: string; readonly optional: boolean }[]
  readonly ssh: readonly { readonly id: string; readonly optional: boolean }[]
  /** Sources on the machine of the caller: `context`, `dockerfile`. */
  readonly locals: readonly string[]
}

/** What a build was asked, what it took, and what it did. */
export interface ProvenanceFacts {
  /** Where the Dockerfile is from: an address, unless it is local, and its path there. */
  readonly source: { readonly url?: string; readonly digest?: Digest; readonly path: string }
  readonly request: BuildRequest
  readonly materials: readonly Material[]
  readonly definition: BuildDefinition
  /** A step that was run could use the network. */
  readonly network: boolean
  /** Of the machine that built. */
  readonly platform: Platform
  /** Milliseconds since 1970. */
  readonly started: number
  readonly finished: number
  /** Unlike that of any other build; made from the other facts when it is undefined. */
  readonly invocation?: string
}

/** How provenance is written. */
export interface ProvenanceOptions {
  /** `min` has neither values that the caller gave nor steps and source. */
  readonly mode: 'min' | 'max'
  readonly version: 'v0.2' | 'v1'
  /** A URI that names the builder; nothing by default, as with BuildKit. */
  readonly builderId?: string
  /** The caller states that the same build gives the same image. */
  readonly reproducible?: boolean
}

/**
 * How an image was built, with the members that BuildKit fills. Sources: slsa.dev/spec/v0.2/provenance and
 * slsa.dev/spec/v1.1/provenance; moby/buildkit, docs/attestations/slsa-definitions.md.
 */
export function provenance(facts: ProvenanceFacts, options: ProvenanceOptions): Predicate {
  const account = accountOf(facts, options)
  const write = (invocation: string | undefined) =>
    jsonDocument(options.version === 'v1' ? version1(account, invocation) : version02(account, invocation))
  const invocation = facts.invocation ?? hexOf(digestOf(encodeDocument(write(undefined)))).slice(0, 25)
  return { predicateType: `https://slsa.dev/provenance/${options.version}`, predicate: write(invocation) }
}

type Account = ReturnType<typeof accountOf>

/** The facts, with what the mode leaves out gone. */
function accountOf(facts: ProvenanceFacts, options: ProvenanceOptions) {
  const { source, definition, platform, started, finished } = facts
  const isMax = options.mode === 'max'
  const isComplete = facts.request.locals.length === 0 && facts.materials.every(({ digest }) => digest !== undefined)
  return {
    builder: { id: options.builderId ?? '' },
    source: { uri: source.url, digest: source.digest && digestSet(source.digest), path: source.path },
    ...requestOf(facts.request, isMax),
    materials: facts.materials.map((material) => ({
      uri: addressOf(material),
      digest: material.digest && digestSet(material.digest),
    })),
    isComplete,
    isHermetic: isComplete && !facts.network,
    isReproducible: options.reproducible ?? false,
    platform: formatPlatform(normalizePlatform(platform)),
    started: new Date(started).toISOString(),
    finished: new Date(finished).toISOString(),
    buildConfig: isMax ? buildConfig(definition) : undefined,
    buildKit: isMax ? { source: sourceMap(definition), layers: layerMap(definition) } : {},
  }
}

/** What the caller gave may be secret, though it should not: `min` keeps neither the values nor the names. */
function requestOf({ args, secrets, ssh, locals }: BuildRequest, isMax: boolean) {
  const given = Object.entries(args)
  const shown = isMax ? given : given.filter(([name]) => !/^(?:build-arg|label):/.test(name))
  return {
    parametersComplete: shown.length === given.length,
    request: {
      frontend: 'dockerfile.v0',
      args: given.length === 0 ? undefined : Object.fromEntries(shown),
      secrets: isMax && secrets.length > 0 ? secrets.map(withoutFalse) : undefined,
      ssh: isMax && ssh.length > 0 ? ssh.map(withoutFalse) : undefined,
      locals: locals.length > 0 ? locals.map((name) => ({ name })) : undefined,
    },
  }
}

const withoutFalse = ({ id, optional }: { id: string; optional: boolean }) => ({ id, optional: optional || undefined })

function addressOf(material: Material): string {
  if (material.kind === 'url') return material.url
  const { platform } = material
  return material.kind === 'image'
    ? imageUrl(material.image, { platform })
    : localImageUrl(material.name, material.version, { platform })
}

const BUILDKIT = 'https://mobyproject.org/buildkit@v1'

function version02(account: Account, invocation: string | undefined) {
  const { builder, source, request, materials, platform, buildKit } = account
  return {
    builder,
    buildType: BUILDKIT,
    materials,
    invocation: {
      configSource: { uri: source.uri, digest: source.digest, entryPoint: source.path },
      parameters: request,
      environment: { platform },
    },
    buildConfig: account.buildConfig,
    metadata: {
      buildInvocationID: invocation,
      buildStartedOn: account.started,
      buildFinishedOn: account.finished,
      completeness: { parameters: account.parametersComplete, environment: true, materials: account.isComplete },
      reproducible: account.isReproducible,
      [`${BUILDKIT}#hermetic`]: account.isHermetic || undefined,
      [`${BUILDKIT}#metadata`]: buildKit,
    },
  }
}

function version1(account: Account, invocation: string | undefined) {
  const { builder, source, request, materials, platform, buildKit } = account
  return {
    buildDefinition: {
      buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
      externalParameters: { configSource: source, request },
      internalParameters: { buildConfig: account.buildConfig, builderPlatform: platform },
      resolvedDependencies: materials,
    },
    runDetails: {
      builder,
      metadata: {
        invocationId: invocation,
        startedOn: account.started,
        finishedOn: account.finished,
        buildkit_metadata: buildKit,
        buildkit_hermetic: account.isHermetic || undefined,
        buildkit_completeness: { request: account.parametersComplete, resolvedDependencies: account.isComplete },
        buildkit_reproducible: account.isReproducible || undefined,
      },
    },
  }
}
