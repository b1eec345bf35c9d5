import { withoutSecrets } from '#base'
import type { EngineContext } from './context/context.ts'
import { registryConfiguration } from './registries/configuration.ts'
import { isRange } from './registries/insecure.ts'
import { connectionOptions } from './registries/open-registry.ts'
import type { RegistryRule } from './registries/rules.ts'

/** The configuration of registries and proxies, under docker's names where it has them. */
export interface RegistryInformation {
  /** Without logins. */
  HttpProxy: string
  HttpsProxy: string
  NoProxy: string
  RegistryConfig: {
    InsecureRegistryCIDRs: string[]
    IndexConfigs: Record<string, { Name: string; Mirrors: string[]; Secure: boolean; Official: boolean }>
    /** Of Docker Hub. */
    Mirrors: string[]
  }
  /** The files that were read, bale's own first. */
  RegistryFiles: string[]
  /** Their settings for names with a prefix; the first that has one wins. */
  RegistryRules: {
    Prefix: string
    Location: string
    Mirrors: string[]
    Insecure: boolean
    Blocked: boolean
    File: string
  }[]
}

export async function registryInformation(context: EngineContext): Promise<RegistryInformation> {
  const { proxy } = connectionOptions(context)
  const { files, own, others } = await registryConfiguration(context)
  const all = [own, ...others]
  const insecure = [...new Set(all.flatMap((one) => one.insecure))]
  const rules = all.flatMap((one) => one.rules)
  const hub = own.rules.find(({ prefix, mirrors }) => prefix === 'docker.io' && mirrors)
  const hubRules = hub ? [hub] : others.flatMap((one) => one.rules.filter(({ prefix }) => prefix === 'docker.io'))
  const mirrors = hubRules.flatMap(mirrorsOf)
  const index = (Name: string, Mirrors: string[], Secure: boolean) => ({
    Name,
    Mirrors,
    Secure,
    Official: Name === 'docker.io',
  })
  return {
    HttpProxy: withoutSecrets(proxy.http ?? ''),
    HttpsProxy: withoutSecrets(proxy.https ?? ''),
    NoProxy: proxy.noProxy ?? '',
    RegistryConfig: {
      InsecureRegistryCIDRs: [...insecure.filter(isRange), '127.0.0.0/8', '::1/128'],
      IndexConfigs: Object.fromEntries([
        ['docker.io', index('docker.io', mirrors, true)],
        ...insecure.filter((one) => !isRange(one)).map((one) => [one, index(one, [], false)] as const),
      ]),
      Mirrors: mirrors,
    },
    RegistryFiles: [...files],
    RegistryRules: rules.map((rule) => ({
      Prefix: rule.prefix,
      Location: rule.location ?? rule.prefix,
      Mirrors: mirrorsOf(rule),
      Insecure: rule.insecure ?? false,
      Blocked: rule.blocked ?? false,
      File: rule.file,
    })),
  }
}

function mirrorsOf({ mirrors = [] }: RegistryRule): string[] {
  return mirrors.map(({ place }) => (/^https?:/i.test(place) ? `${place.replace(/\/+$/, '')}/` : place))
}
