import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { credentialStoreContract } from './contract.ts'
import { createCredentialStore } from './credential-store.ts'

/** A helper that keeps one file per server, the way real ones keep one entry of a keychain. */
const SHELF = `#!/bin/sh
input=$(cat)
case $1 in
  store) server=$(printf '%s' "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/') ;;
  *) server=$input ;;
esac
file="$SHELF/$(printf '%s' "$server" | tr '/:' '__')"
case $1 in
  store) printf '%s' "$input" > "$file.$$" && mv "$file.$$" "$file" ;;
  get) [ -f "$file" ] && cat "$file" || { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) [ -f "$file" ] && rm "$file" || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
`

for (const kind of ['file', 'helper'] as const) {
  credentialStoreContract(kind, async () => {
    const directory = await temporaryDirectory('bale-credentials')
    const dockerConfigFile = join(directory.path, 'config.json')
    await mkdir(join(directory.path, 'shelf'))
    const helper = join(directory.path, 'docker-credential-shelf')
    await writeFile(helper, SHELF)
    await chmod(helper, 0o755)
    if (kind === 'helper') await writeFile(dockerConfigFile, JSON.stringify({ credsStore: 'shelf' }))
    const reopen = () =>
      createCredentialStore({
        dockerConfigFile,
        helperPath: `${directory.path}:/usr/bin:/bin`,
        env: { SHELF: join(directory.path, 'shelf') },
      })
    return { store: reopen(), reopen, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
  })
}
