/**
 * Interop cases are text, so that adding one is adding lines:
 *
 *   ## name of a scenario            a scenario has a directory of its own; its commands run in order on both tools
 *   $ T run --rm busybox echo hi     a shell command; `T` is docker on one side and bale on the other
 *   ! stdout                         (default) exit code and standard output are compared
 *   ! stderr                         standard error is compared as well
 *   ! code                           only the exit code is compared
 *   ! differs REASON                 a difference that is meant; REASON stands in docs/compat-docker.md
 *   ! setup                          nothing is compared, but both must succeed
 *
 * `"$BUSYBOX"` is the tar of a small root file system, `busybox:1` the image of it; `| SHAPE` prints the members of JSON
 * with their types, `EVENTS [FILTERS]` the events since the last time, from a first `date +%s.%N >since` on; `AWAIT ACTION [N]`
 * waits until there are N of them. Lines that begin with # are comments.
 */
export interface InteropCommand {
  line: number
  command: string
  compare: 'stdout' | 'stderr' | 'code' | 'setup'
  differs?: string
}

export interface Scenario {
  name: string
  file: string
  commands: InteropCommand[]
}

export function parseCaseFile(file: string, text: string): Scenario[] {
  const scenarios: Scenario[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const where = `${file}:${index + 1}`
    if (line.trim() === '' || /^#(?!#)/.test(line)) continue
    if (line.startsWith('## ')) scenarios.push({ name: line.slice(3), file, commands: [] })
    else if (line.startsWith('$ ')) {
      const scenario = scenarios.at(-1)
      if (!scenario) throw new Error(`${where}: a command before the first scenario`)
      scenario.commands.push({ line: index + 1, command: line.slice(2), compare: 'stdout' })
    } else if (line.startsWith('! ')) {
      const command = scenarios.at(-1)?.commands.at(-1)
      if (!command) throw new Error(`${where}: a directive before the first command`)
      const [word, ...rest] = line.slice(2).split(' ')
      if (word === 'differs' && rest.length > 0) command.differs = rest.join(' ')
      else if (word === 'stdout' || word === 'stderr' || word === 'code' || word === 'setup') command.compare = word
      else throw new Error(`${where}: unknown directive: ${line}`)
    } else throw new Error(`${where}: neither scenario, command, directive nor comment: ${line}`)
  }
  return scenarios
}
