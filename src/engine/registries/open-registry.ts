import { BaleError, errnoOf } from '#base'
import { readText } from '#host/file'
import { parseReference } from '#spec'
import {
  type CredentialStore,
  connectionSettings,
  createCredentialStore,
  createFetcher,
  defaultLimits,
  type Fetcher,
  openRepository,
  type RemoteLimits,
  type RemoteOptions,
  type RemotePlace,
  type Repository,
} from '#transport'
import type { EngineContext } from '../context/context.ts'
import { registryConfiguration } from './configuration.ts'
import { isListed } from './insecure.ts'
import { type AskedName, aliasOf, resolvePlaces } from './rules.ts'

interface OpenRegistryOptions {
  insecure?: boolean
  /** For a push: mirrors and other addresses are for reading. */
  writing?: boolean
  /** As typed: a short name may refer to another one. */
  typed?: string
}

/** A repository as this user may see it: the logins, certificates, mirrors and proxies that are configured. */
export async function openRegistry(
  context: EngineContext,
  name: AskedName,
  { writing = false, typed, insecure }: OpenRegistryOptions = {},
): Promise<Repository> {
  const { mirrors, location, ...options } = await registryOptions(context, name, { insecure })
  const alias = typed === undefined || writing ? undefined : await aliasPlace(context, typed)
  return openRepository(name, {
    ...options,
    ...(writing ? {} : { mirrors: alias ? [] : mirrors, location: alias ?? location }),
    credentials: openCredentials(context),
  })
}

/** The full name that an administrator has configured for a short one. */
async function aliasPlace(context: EngineContext, typed: string): Promise<RemotePlace | undefined> {
  const { others } = await registryConfiguration(context)
  const target = aliasOf(typed, others)
  if (target === undefined) return undefined
  const { registry, repository } = parseReference(target)
  const { insecure } = await registryOptions(context, { registry, repository })
  return { registry, repository, insecure }
}

/** The client that fetches files by URL, with the same proxies and authorities as registries. */
export function openWeb(context: EngineContext): Fetcher {
  return createFetcher({ ...connectionOptions(context), certificateDirectories: context.config.certificateDirectories })
}

/** Logins as JSON, for machines that build. Source: docker/cli, cli/config/configfile, DockerEnvConfigKey. */
export const AUTH_VARIABLE = 'DOCKER_AUTH_CONFIG'

export function openCredentials({ config }: EngineContext): CredentialStore {
  const { dockerConfigFile, authFiles, path, environment } = config
  const text = environment[AUTH_VARIABLE]
  return createCredentialStore({
    dockerConfigFile,
    authFiles,
    helperPath: path,
    env: environment,
    ...(text ? { environment: { name: AUTH_VARIABLE, text } } : {}),
  })
}

/** Throws DENIED for a name that configuration blocks. */
export async function registryOptions(
  context: EngineContext,
  name: AskedName,
  { insecure = false }: { insecure?: boolean } = {},
): Promise<Omit<RemoteOptions, 'credentials'>> {
  const { config, clock, log } = context
  const { own, others } = await registryConfiguration(context)
  const places = resolvePlaces(name, own, others)
  const list = [own, ...others].flatMap((one) => one.insecure)
  const mirrors = await Promise.all(
    places.mirrors.map(async (one) => ({ ...one, insecure: one.insecure || (await isListed(one.registry, list)) })),
  )
  const asked = places.location?.registry ?? name.registry
  return {
    ...connectionOptions(context),
    clock,
    log,
    limits: limitsOf(config),
    insecure: insecure || (places.insecure ?? (await isListed(asked, list))),
    mirrors,
    ...(places.location ? { location: places.location } : {}),
    ...(places.ca === undefined ? {} : { ca: [await readAuthority(places.ca)] }),
    certificateDirectories: config.certificateDirectories,
  }
}

function limitsOf({ registryLimits, registryFiles }: EngineContext['config']): Partial<RemoteLimits> {
  const unknown = Object.keys(registryLimits).find((name) => !Object.hasOwn(defaultLimits, name))
  if (unknown === undefined) return registryLimits
  throw new BaleError('INVALID_ARGUMENT', `${registryFiles.configFile}: unknown member of registryLimits: ${unknown}`, {
    hint: `known members: ${Object.keys(defaultLimits).join(', ')}`,
  })
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await readText(path)
  } catch (error) {
    const reason = errnoOf(error) ?? 'too large'
    throw new BaleError('INVALID_ARGUMENT', `cannot read the certificate authorities in ${path} (${reason})`, {
      cause: error,
    })
  }
}

export function connectionOptions({ config: { environment } }: Pick<EngineContext, 'config'>) {
  return connectionSettings(environment)
}
