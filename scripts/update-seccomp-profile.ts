/** Replaces the data of the default seccomp profile by a newer file of its source. Run by update-seccomp-profile.sh. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readBytesSync } from '#host/file'
import { mobyDefaultProfile } from '../src/container/seccomp/default-profile.ts'
import { hardened, openComparisons } from '../src/container/seccomp/hardening.ts'
import type { SeccompProfile } from '../src/container/seccomp/profile.ts'
import { parseSeccompProfile } from '../src/container/seccomp/seccomp-filter.ts'

const [file = '', commit = ''] = process.argv.slice(2)
if (!/^[0-9a-f]{40}$/.test(commit)) throw new Error(`not a commit: ${commit}`)
const bytes = readBytesSync(file)
const profile = parseSeccompProfile(bytes.toString('utf8'), file)
const open = openComparisons(hardened(profile))
if (open.length > 0) throw new Error(`comparisons that let other values through as well: ${open.join('; ')}`)

const allowed = ({ syscalls = [] }: SeccompProfile) =>
  new Set(syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW').flatMap(({ names = [] }) => names))
const before = allowed(mobyDefaultProfile)
const after = allowed(profile)
for (const name of after) if (!before.has(name)) console.log(`newly allowed, at least in part: ${name}`)
for (const name of before) if (!after.has(name)) console.log(`no longer allowed: ${name}`)

const directory = resolve(import.meta.dirname, '../src/container/seccomp')
writeFileSync(resolve(directory, 'moby-default-profile.json'), bytes)
const source = {
  repository: 'https://github.com/moby/profiles',
  path: 'seccomp/default.json',
  commit,
  licence: 'Apache-2.0',
  sha256: createHash('sha256').update(bytes).digest('hex'),
}
writeFileSync(resolve(directory, 'moby-default-profile.source.json'), `${JSON.stringify(source, null, 2)}\n`)
