/** The repository's own modules, parsed once for all tests in one process that look at them. */
import { resolve } from 'node:path'
import { type Module, readModules } from './module-graph.ts'

export const root = resolve(import.meta.dirname, '../..')

/** Product, tests, benchmarks and scripts. */
export const allModules: readonly Module[] = readModules(root, ['src', 'bin', 'scripts', 'test', 'bench'])
