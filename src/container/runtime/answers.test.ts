import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastLoggedError, monitorAnswers, runtimeState, stderrReason } from './answers.ts'

test('a monitor is understood however its lines are cut, and its odd lines are passed over', async () => {
  const said =
    '{"data": 12}\nnoise\n{"message": "no data"}\n5\nnull\n{"data": -1, "message": "exec: \\"Ä\\": not found"}\n{"dat'
  const bytes = new TextEncoder().encode(said)
  for (let size = 1; size < 40; size++) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    )
    const answers = await Array.fromAsync(monitorAnswers(ReadableStream.from(pieces)))
    assert.deepEqual(answers, [{ data: 12 }, { data: -1, message: 'exec: "Ä": not found' }])
  }
})

test('the last error of a log is found among other levels and half-written lines', () => {
  const log = [
    '{"level":"error","msg":"first"}',
    '{"level":"fatal","msg":"second"}',
    '{"level":"warning","msg":"careful"}',
    '{"level":"error","msg":["odd"]}',
    '{"level":"error","ms',
  ]
  assert.equal(lastLoggedError(log.join('\n')), 'second')
  assert.equal(lastLoggedError('"}\nnull\n[]\n'), undefined)
  assert.equal(lastLoggedError(''), undefined)
})

test('a quoted message may have any escape of Go', () => {
  const quoted = 'time="now" level=error msg="open \\x1b[31m\\a\\v: \\"\\u00e4\\U0001f600\\" \\\\ \\U7fffffff"\n'
  assert.equal(stderrReason(quoted), 'open \x1b[31m\x07\v: "ä😀" \\ \uFFFD')
  assert.equal(stderrReason('level=warning msg=a\nlevel=fatal msg=plain\n'), 'plain')
  assert.equal(stderrReason(' not a log line \n'), 'not a log line')
})

test('what is no state is refused in words', () => {
  assert.deepEqual(runtimeState('{"id": "c", "status": "running", "pid": 7}', 'c'), { status: 'running', pid: 7 })
  for (const printed of ['', 'null', '{', '{"status": "running"}', '{"status": "odd", "pid": 7}'])
    assert.throws(() => runtimeState(printed, '0123456789abcdef'), /cannot tell the state of container 0123456789ab/)
})
