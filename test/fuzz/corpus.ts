/** Inputs that were faults once: a file for each target, a JSON string in each line, its characters the bytes. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FuzzTarget } from './targets.ts'

const pathOf = ({ name }: FuzzTarget) => join(import.meta.dirname, 'corpus', `${name}.txt`)

/** Lines that begin with `#` tell what was wrong. */
export function readCorpus(target: FuzzTarget): Buffer[] {
  const path = pathOf(target)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line.startsWith('"')).map((line) => Buffer.from(JSON.parse(line) as string, 'latin1'))
}

export function addToCorpus(target: FuzzTarget, input: Buffer, why: string): string {
  const path = pathOf(target)
  appendFileSync(path, `# ${why.split('\n')[0]}\n${JSON.stringify(input.toString('latin1'))}\n`)
  return path
}
