import type { Dockerfile, Instruction } from '../dockerfile/index.ts'

/** The numbers of all lines of an instruction. */
export function linesOf({ range }: Instruction): number[] {
  return Array.from({ length: range.end.line - range.start.line + 1 }, (_, index) => range.start.line + index)
}

/** The keyword as it is written. */
export function writtenKeyword({ line }: Instruction): string {
  return /^\s*(\S+)/.exec(line.text)![1]!
}

/** The comments above an instruction, without `#`; an empty comment ends them, an empty line does not. */
export function commentsAbove({ source, directives }: Dockerfile, { range }: Instruction): string[] {
  const comments: string[] = []
  for (let index = range.start.line - 2; index >= directives.next; index--) {
    const line = source.lines[index]!.trim()
    if (line === '') continue
    if (!line.startsWith('#')) break
    const comment = line.slice(1).trim()
    if (comment === '') break
    comments.unshift(comment)
  }
  return comments
}
