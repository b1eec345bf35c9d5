import type { ProxySettings } from './proxy-rules.ts'
import type { TlsFiles } from './tls-settings.ts'

/** How all connections are made, whatever they are to. */
export interface ConnectionSettings {
  proxy: ProxySettings
  authorities: NonNullable<TlsFiles['authorities']>
}

/** The environment's settings for all connections. Upper case first: golang.org/x/net/http/httpproxy, FromEnvironment. */
export function connectionSettings(environment: Readonly<Record<string, string | undefined>>): ConnectionSettings {
  const variable = (name: string) => environment[name] || environment[name.toLowerCase()]
  return {
    proxy: { http: variable('HTTP_PROXY'), https: variable('HTTPS_PROXY'), noProxy: variable('NO_PROXY') },
    authorities: { file: environment['SSL_CERT_FILE'], directories: environment['SSL_CERT_DIR'] },
  }
}
