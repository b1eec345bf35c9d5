import type { Clock } from '#base'
import type { MetaStore } from '../meta/index.ts'
import type { Seal } from '../seal/index.ts'
import { createDeviceLogins, type DeviceLogins } from './device-logins.ts'
import type { LoginProvider } from './login-source.ts'
import { createProviderLogins, type ProviderLogins } from './provider-logins.ts'
import { createSessions, type SessionSettings, type Sessions } from './sessions.ts'

/** How people log in with a browser, and let programs in by that. */
export interface BrowserLogins {
  sessions: Sessions
  devices: DeviceLogins
  /** Undefined where all people have a password, here or in a directory. */
  provider: ProviderLogins | undefined
  /** Whether people of a directory have their passwords there. */
  directory: boolean
  /** Whether programs are given what they keep. */
  keepsLogins: boolean
}

/** Undefined where sessions last no time. */
export function createBrowserLogins(parts: {
  meta: MetaStore
  sessions: SessionSettings
  provider: LoginProvider | undefined
  directory: boolean
  keepsLogins: boolean
  seal: Seal
  clock: Clock
  report: (failure: unknown, what: string) => void
}): BrowserLogins | undefined {
  const { meta, sessions, provider, directory, keepsLogins, seal, clock, report } = parts
  if (sessions.unusedFor === 0) return undefined
  return {
    sessions: createSessions(meta, sessions),
    devices: createDeviceLogins(meta),
    provider: provider && createProviderLogins({ provider, meta, seal, clock, report }),
    ...{ directory, keepsLogins },
  }
}
