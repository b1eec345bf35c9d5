import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { applyChanges } from './apply-changes.ts'

test('changes of commit and import alter a copy of the config', () => {
  const config = { Env: ['A=1'], Cmd: ['old'], WorkingDir: '/a' }
  const changed = applyChanges(config, [
    'ENV B=$A C="x y"',
    'CMD ["new", "b c"]',
    'EXPOSE 80 443/UDP',
    'WORKDIR b',
    'LABEL k=v',
    'ENTRYPOINT serve $A',
    'USER 1:2',
    'VOLUME /v',
    'STOPSIGNAL SIGINT',
    'ONBUILD RUN x',
    'HEALTHCHECK NONE',
  ])
  assert.deepEqual(changed, {
    Env: ['A=1', 'B=1', 'C=x y'],
    Cmd: ['new', 'b c'],
    ExposedPorts: { '443/udp': {}, '80/tcp': {} },
    WorkingDir: '/a/b',
    Labels: { k: 'v' },
    Entrypoint: ['/bin/sh', '-c', 'serve $A'],
    User: '1:2',
    Volumes: { '/v': {} },
    StopSignal: 'SIGINT',
    OnBuild: ['RUN x'],
    Healthcheck: { Test: ['NONE'] },
  })
  assert.deepEqual(config, { Env: ['A=1'], Cmd: ['old'], WorkingDir: '/a' })
})

test('an ENTRYPOINT change drops the old command, but neither a new one nor the only thing to run', () => {
  const old = { Cmd: ['x'] }
  assert.deepEqual(applyChanges(old, ['ENTRYPOINT ["y"]']), { Entrypoint: ['y'] })
  assert.deepEqual(applyChanges(old, ['CMD ["z"]', 'ENTRYPOINT ["y"]']), { Cmd: ['z'], Entrypoint: ['y'] })
  assert.deepEqual(applyChanges(old, ['ENTRYPOINT ["y"]', 'CMD ["z"]']), { Cmd: ['z'], Entrypoint: ['y'] })
  assert.deepEqual(applyChanges(old, ['ENTRYPOINT []']).Cmd, ['x'])
})

test('instructions that make layers, and typos, are refused', () => {
  for (const change of ['RUN x', 'COPY a b', 'FROM x', 'ARG a']) {
    assert.throws(
      () => applyChanges({}, [change]),
      (error) => isBaleError(error, 'INVALID_ARGUMENT'),
      change,
    )
  }
  assert.throws(
    () => applyChanges({}, ['CMDD x']),
    (error) => isBaleError(error, 'DOCKERFILE_INVALID') && error.hint === 'did you mean CMD?',
  )
  assert.throws(() => applyChanges({}, ['EXPOSE eighty']), /^BaleError: change:1:8: invalid port: "eighty"/)
  assert.throws(() => applyChanges({}, ['STOPSIGNAL SIGNOPE']), /invalid signal: SIGNOPE/)
})
