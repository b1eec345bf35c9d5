import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isBaleError } from '#base'
import { parseDockerfile } from './parse-dockerfile.ts'

const brief = (text: string) =>
  parseDockerfile(text).instructions.map(({ keyword, argument, flags, heredocs, range }) => ({
    keyword,
    argument,
    ...(flags.length ? { flags: flags.map(({ name, value }) => `${name}=${value}`) } : {}),
    ...(heredocs.length ? { heredocs: heredocs.map(({ name, content }) => `${name}:${content}`) } : {}),
    lines: `${range.start.line}-${range.end.line}`,
  }))

describe('lines', () => {
  test('comments and blank lines vanish, also inside continued lines', () => {
    assert.deepEqual(brief('# x\n\nfrom a\n  RUN b \\\n# c\n   # d\n\n  && e\n'), [
      { keyword: 'FROM', argument: 'a', lines: '3-3' },
      { keyword: 'RUN', argument: 'b   && e', lines: '4-8' },
    ])
  })
  test('an empty continuation line is noted', () => {
    const { instructions } = parseDockerfile('FROM a\nRUN b \\\n\nc')
    assert.deepEqual(
      instructions.map(({ line }) => line.emptyContinuation),
      [false, true],
    )
  })
  test('BOM, CRLF and blanks behind the continuation character do not matter', () => {
    assert.deepEqual(brief('\uFEFFFROM a\r\nRUN b \\ \t\r\n c\r\n'), [
      { keyword: 'FROM', argument: 'a', lines: '1-1' },
      { keyword: 'RUN', argument: 'b  c', lines: '2-3' },
    ])
  })
  test('a doubled escape character continues nothing', () => {
    assert.deepEqual(brief('FROM a\nRUN b \\\\\nRUN c').length, 3)
  })
  test('# inside a line is text', () => {
    assert.equal(brief('FROM a\nRUN echo # no comment')[1]?.argument, 'echo # no comment')
  })
  test('a file that ends inside a continued line ends the instruction', () => {
    assert.equal(brief('FROM a\nRUN b \\\n')[1]?.argument, 'b')
  })
})

describe('parser directives', () => {
  test('escape=` makes the backtick join lines and the backslash text', () => {
    assert.deepEqual(brief('# escape=`\nFROM a\nRUN dir C:\\ `\n x')[1], {
      keyword: 'RUN',
      argument: 'dir C:\\  x',
      lines: '3-4',
    })
  })
  test('a directive behind a comment is a comment', () => {
    assert.equal(parseDockerfile('# hello\n# escape=`\nFROM a').directives.escape, '\\')
  })
  test('syntax of docker/dockerfile is taken, check is kept (B04)', () => {
    const { directives } = parseDockerfile('#syntax = docker/dockerfile:1.7-labs\n# check=skip=all\nFROM a')
    assert.deepEqual([directives.syntax, directives.check], ['docker/dockerfile:1.7-labs', 'skip=all'])
  })
  for (const syntax of [
    'evil/frontend',
    'docker.io/evil/dockerfile:1',
    'localhost:5000/docker/dockerfile:1',
    'docker/dockerfile/x',
  ]) {
    test(`syntax=${syntax} is refused, not fetched (B04)`, () => {
      assert.throws(
        () => parseDockerfile(`# syntax=${syntax}\nFROM a`),
        /Dockerfile:1:1: the frontend .* is not supported/,
      )
    })
  }
  test('the same directive twice or a wrong escape is an error', () => {
    assert.throws(() => parseDockerfile('# escape=`\n# escape=`\nFROM a'), /appears twice/)
    assert.throws(() => parseDockerfile('# escape=x\nFROM a'), /invalid escape character x/)
  })
})

describe('flags', () => {
  test('stand before the argument, with quotes, escapes and continuation lines', () => {
    assert.deepEqual(
      brief('FROM a\nRUN --mount=type=cache,target="/a b" \\\n --mount=type=tmpfs,target=/c --network=none -- --x')[1],
      {
        keyword: 'RUN',
        argument: '--x',
        flags: ['mount=type=cache,target=/a b', 'mount=type=tmpfs,target=/c', 'network=none'],
        lines: '2-3',
      },
    )
  })
  test('without a value they are undefined', () => {
    assert.deepEqual(brief('FROM a\nCOPY --link --from=x a b')[1]?.flags, ['link=undefined', 'from=x'])
  })
})

describe('heredocs', () => {
  test('several on one line, with tabs stripped at the end mark', () => {
    assert.deepEqual(brief('FROM a\nRUN <<-A cat <<"B" x\n\tone\n\tA\n$two\nB\nRUN x')[1], {
      keyword: 'RUN',
      argument: '<<-A cat <<"B" x',
      heredocs: ['A:\tone\n', 'B:$two\n'],
      lines: '2-6',
    })
  })
  test('a sign in quotes, <<< and the JSON form are none', () => {
    assert.deepEqual(
      brief('FROM a\nRUN echo "<<EOF"\nRUN cat <<<x\nRUN ["<<EOF"]\nENV a=<<EOF').map((one) => one.heredocs),
      [undefined, undefined, undefined, undefined, undefined],
    )
  })
  test('of ONBUILD belong to the trigger', () => {
    const trigger = parseDockerfile('FROM a\nONBUILD RUN <<E\nx\nE\n').instructions[1]!.trigger!
    assert.equal(trigger.keyword, 'RUN')
    assert.equal(trigger.heredocs[0]?.content, 'x\n')
  })
  test('that never end are an error on the line where they begin', () => {
    assert.throws(
      () => parseDockerfile('FROM a\nRUN x <<E\nb'),
      (error) => {
        assert.ok(isBaleError(error, 'DOCKERFILE_INVALID'))
        assert.deepEqual(error.details, { file: 'Dockerfile', line: 2, column: 1 })
        return /unterminated heredoc/.test(error.message)
      },
    )
  })
})

describe('JSON form', () => {
  test('keeps blanks and escapes', () => {
    assert.deepEqual(parseDockerfile('FROM a\nCMD [ "a b", "\\u0041\\n" ]').instructions[1]?.json, ['a b', 'A\n'])
  })
  test('that is no valid JSON silently is the shell form', () => {
    assert.equal(parseDockerfile("FROM a\nCMD ['a']").instructions[1]?.json, undefined)
  })
  test('with a number is an error', () => {
    assert.throws(() => parseDockerfile('FROM a\nCMD ["a", 1]'), /must contain only strings/)
  })
})

describe('a typo shows file, line, column, the line, and the instruction meant', () => {
  for (const [typo, meant] of [
    ['RNU', 'RUN'],
    ['FORM', 'FROM'],
    ['COPPY', 'COPY'],
    ['ENTRYPONT', 'ENTRYPOINT'],
    ['WORKDIRR', 'WORKDIR'],
  ]) {
    test(`${typo} means ${meant}`, () => {
      assert.throws(
        () => parseDockerfile(`FROM a\n  ${typo} x y`, 'sub/Dockerfile'),
        (error) => {
          assert.ok(isBaleError(error, 'DOCKERFILE_INVALID'))
          assert.equal(
            error.message,
            `sub/Dockerfile:2:3: unknown instruction: ${typo}\n  2 |   ${typo} x y\n    |   ^`,
          )
          assert.equal(error.hint, `did you mean ${meant}?`)
          return error.details['line'] === 2
        },
      )
    })
  }
  test('a word that is near to nothing gets the list', () => {
    assert.throws(
      () => parseDockerfile('FROM a\nXYZZYQ'),
      (error) => isBaleError(error) && /instructions are ADD/.test(error.hint!),
    )
  })
})

test('a file without instructions and one of more than 2 MiB are refused', () => {
  assert.throws(() => parseDockerfile('# only\n'), /has no instructions/)
  assert.throws(() => parseDockerfile(`FROM a\n#${'x'.repeat(3 << 20)}`), /larger than 2 MiB/)
})

test('control characters of a hostile file do not reach the terminal', () => {
  assert.throws(
    () => parseDockerfile('FROM a\nRUNX \u001b[31m'),
    (error) => isBaleError(error) && !error.message.includes('\u001b'),
  )
})
