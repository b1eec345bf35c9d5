import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generatedFiles } from './generated-image.ts'

const CONTEXT = { files: 33_000, bytes: 540e6 }

/** A second Dockerfile of the context: the same files without a base image and without a step that runs. */
export const COPY_ALONE = 'Dockerfile.copy'

/** A directory to build from, with the files that one of its steps copies. */
export interface BuildContext {
  readonly directory: string
  readonly files: string
  /** Grows with each change. */
  readonly version: number
  /** Gives one file another content of the same size. */
  change(): void
}

export function createBuildContext(directory: string, image: string, scale: number): BuildContext {
  const files = join(directory, 'files')
  let first = ''
  for (const { name, data } of generatedFiles(CONTEXT, scale)) {
    const path = join(files, name)
    first ||= path
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, data)
  }
  const run = (text: string) => `RUN echo ${text} > /${text}`
  const steps = [`FROM ${image}`, run('one'), run('two'), 'COPY files /files', run('three'), 'CMD ["true"]']
  writeFileSync(join(directory, 'Dockerfile'), `${steps.join('\n')}\n`)
  writeFileSync(join(directory, COPY_ALONE), 'FROM scratch\nCOPY files /files\n')
  let version = 1
  return {
    directory,
    files,
    get version() {
      return version
    },
    change() {
      writeFileSync(first, `version ${++version}`.padEnd(200, '.'))
    },
  }
}
