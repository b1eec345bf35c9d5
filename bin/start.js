// Where Node starts for bin/bale and for the monitors' clean-up command. It is JavaScript so that the compile cache is on
// before the first TypeScript source is met: what strips types (20 ms, 18 MB) is then loaded only for a changed source.
//
// It runs the bundle in dist, or, where Node was told so by --conditions=source, the sources (Node strips no types below
// node_modules: the published package has none).
'use strict'
const { existsSync, lstatSync, mkdirSync } = require('node:fs')
const { enableCompileCache } = require('node:module')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `bale: Node.js ${process.versions.node} is too old; 24 or newer is needed: npm install node@24\n`,
  )
  process.exit(125)
}
// Set once, before threads start: what bale makes has the modes it says, whatever the shell of the caller had. What is
// secret is made with its mode given.
process.umask(0o022)
const cache = process.env.NODE_COMPILE_CACHE || ownCacheDirectory()
if (cache) enableCompileCache(cache)
// bin/bale set it for this process alone: neither containers (`-e NAME`) nor helper programs are to see it.
if (process.env.MALLOC_ARENA_MAX === '2') delete process.env.MALLOC_ARENA_MAX
const SOURCES = '--conditions=source'
const main = join(__dirname, '../src/cli/main.ts')
const bundle = join(__dirname, '../dist/cli/main.cjs')
if (process.execArgv.includes(SOURCES)) import(main)
// A clone whose bundle was removed after a container's monitor had been told this command line.
else if (!existsSync(bundle) && existsSync(main))
  process.execve(process.execPath, [process.argv0, ...process.execArgv, SOURCES, ...process.argv.slice(1)])
else require(bundle)

/**
 * Node takes what lies in the cache for the program itself, and its own default is a name in /tmp that anybody may make
 * first: so one is used that is ours and that nobody else writes, or none.
 */
function ownCacheDirectory() {
  const uid = process.geteuid()
  const directory = join(tmpdir(), `bale-compile-cache-${uid}`)
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    if (error.code !== 'EEXIST') return undefined
  }
  const stats = lstatSync(directory, { throwIfNoEntry: false })
  return stats?.isDirectory() && stats.uid === uid && (stats.mode & 0o022) === 0 ? directory : undefined
}
