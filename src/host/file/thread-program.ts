import { getCompileCacheDir } from 'node:module'

/**
 * What `new Worker(code, options)` takes to run a module of ours. A thread does not take over that its program has a compile cache:
 * without one, each thread that runs the sources loads what strips their types, which costs 35 MB (measured on one idle thread).
 */
export function threadProgram(module: string): { code: string; options: { eval: true; execArgv: string[] } } {
  const cached = getCompileCacheDir() === undefined ? '' : "require('node:module').enableCompileCache();"
  return {
    code: `${cached}import(${JSON.stringify(module)})`,
    // Not `--input-type` and the like, which a worker refuses; the condition distinguishes sources from the compiled package.
    options: { eval: true, execArgv: process.execArgv.filter((argument) => argument.startsWith('--conditions=')) },
  }
}
