import type { AcmeOptions } from './acme/index.ts'
import { answersAt } from './answers-at.ts'
import { serveChallenges } from './challenge-server.ts'
import type { Registry, RegistrySettings } from './registry.ts'
import { type ChangingTls, openTls, type TlsTexts } from './tls.ts'

/** TLS with a certificate that an authority gives, and gives anew before it expires (ACME). */
export interface TlsByAuthority {
  acme: Omit<AcmeOptions, 'challenge' | 'every'>
  /** Where the authority's requests to port 80 arrive (http-01). Without it, it asks at the registry's own address (tls-alpn-01). */
  challengeAddress?: { host: string; port: number }
  /** Another process answers there. */
  challengesElsewhere?: boolean
  /** Reads those of whom clients need a certificate. */
  clientAuthorities?(): Promise<string | Uint8Array>
}

/** TLS that begins to obtain its certificate when its server listens; until there is one, every handshake fails. */
export async function openCertifiedTls(
  { acme, challengeAddress, challengesElsewhere, clientAuthorities }: TlsByAuthority,
  registry: Registry,
  options: Pick<RegistrySettings, 'report' | 'observe'> & { every?: number },
): Promise<ChangingTls> {
  await using opened = new AsyncDisposableStack()
  const challenge = challengeAddress ? 'http-01' : 'tls-alpn-01'
  const obtained = opened.use(await registry.obtainCertificate({ ...acme, challenge, every: options.every }))
  const texts = async (): Promise<Partial<TlsTexts>> => ({
    ...(await obtained.current()),
    clientAuthorities: await clientAuthorities?.(),
  })
  const tls = opened.use(await openTls(texts, options))
  if (challengeAddress && !challengesElsewhere) {
    opened.use(await serveChallenges(challengeAddress, (token) => obtained.answer(token)))
  }
  const ending = new AbortController()
  opened.defer(() => ending.abort())
  const begin = async () => {
    // The authority asks there as soon as something is ordered, and a refusal costs a minute.
    if (challengeAddress && challengesElsewhere) await answersAt(challengeAddress, ending.signal)
    if (!ending.signal.aborted) obtained.begin(() => void tls.reload())
  }
  const parts = opened.move()
  return {
    ...tls,
    follow(server) {
      tls.follow(server)
      if (!challengeAddress) obtained.answerAt(server)
      server.once('listening', () => void begin())
    },
    async reload() {
      await obtained.tryNow()
      await tls.reload()
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
