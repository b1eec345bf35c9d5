import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BaleError, printable } from '#base'
import { runProgram } from '#host'
import {
  APPARMOR_PLACES,
  type AppArmorPlaces,
  apparmorText,
  DEFAULT_APPARMOR_PROFILE,
  loadedProfiles,
} from '../spec/index.ts'
import type { Programs } from './programs.ts'

interface ProfileLoader {
  programs: Pick<Programs, 'need' | 'searchPath'>
  /** The run directory of the store: what was loaded since boot is noted there. */
  run: string
  places?: AppArmorPlaces
}

/**
 * Makes sure that the kernel has the profile of a container that is about to start. The own one is loaded once per boot and
 * version; any other must have been loaded by the user. Throws if it is missing (R18).
 */
export async function ensureApparmorProfile(name: string, loader: ProfileLoader): Promise<void> {
  const { places = APPARMOR_PLACES, programs, run } = loader
  const isLoaded = loadedProfiles(places).includes(name)
  if (name !== DEFAULT_APPARMOR_PROFILE) {
    if (isLoaded) return
    throw new BaleError('INVALID_ARGUMENT', `the AppArmor profile ${printable(name)} is not loaded`, {
      hint: 'load it: apparmor_parser -r FILE',
    })
  }
  const text = apparmorText({ name, hasMacro: (path) => existsSync(join(places.macros, path)) })
  const note = join(run, 'apparmor', createHash('sha256').update(text).digest('hex'))
  if (isLoaded && existsSync(note)) return
  // -K: no cache, which may be on a read-only filesystem; -r: also replaces an older version.
  const result = await runProgram(programs.need('apparmor_parser'), ['-Kr'], {
    input: text,
    env: { PATH: programs.searchPath },
  })
  if (result.code !== 0)
    throw new BaleError(
      'UNSUPPORTED_HOST',
      `cannot load the AppArmor profile ${name}: ${printable(`${result.stderr}${result.stdout}`.trim(), 500)}`,
      { next: { act: 'choose-security', option: 'apparmor=unconfined' } },
    )
  await mkdir(join(run, 'apparmor'), { recursive: true, mode: 0o700 })
  await writeFile(note, '')
}
