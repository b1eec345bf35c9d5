import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseMount } from './mount-option.ts'

const parse = (text: string) => {
  const set = Object.entries(parseMount(text, (value) => value.replaceAll('$x', 'X'))).filter(
    ([key, value]) =>
      value !== undefined && !(key === 'sharing' && value === 'shared') && !(key === 'required' && !value),
  )
  return Object.fromEntries(set)
}

describe('RUN --mount', () => {
  const table: [string, object][] = [
    ['target=/a', { type: 'bind', target: '/a', readOnly: true }],
    ['type=bind,from=b,src=/s,dst=/a,rw', { type: 'bind', from: 'b', source: '/s', target: '/a', readOnly: false }],
    ['type=cache,target=/c', { type: 'cache', target: '/c', readOnly: false }],
    [
      'type=cache,id=$x,target=/c,sharing=locked,mode=0700,uid=1,gid=2',
      { type: 'cache', id: 'X', target: '/c', sharing: 'locked', mode: 0o700, uid: 1, gid: 2, readOnly: false },
    ],
    ['type=tmpfs,target=/t,size=1.5m', { type: 'tmpfs', target: '/t', size: 1572864, readOnly: false }],
    ['type=secret,id=k,required', { type: 'secret', id: 'k', required: true, readOnly: true }],
    ['type=secret,id=k,env=TOKEN', { type: 'secret', id: 'k', env: 'TOKEN', readOnly: true }],
    ['type=ssh', { type: 'ssh', readOnly: true }],
    ['"type=bind","target=/a,b"', { type: 'bind', target: '/a,b', readOnly: true }],
    ['target=/a,readonly=false', { type: 'bind', target: '/a', readOnly: false }],
  ]
  for (const [text, expected] of table) test(text, () => assert.deepEqual(parse(text), expected))

  const wrong: [string, RegExp][] = [
    ['type=volume,target=/a', /unsupported mount type "volume"/],
    ['type=cach,target=/a', /did you mean cache/],
    ['tagret=/a', /did you mean target/],
    ['type=bind', /needs a target/],
    ['target=/', /cannot be \//],
    ['target', /must be a key=value pair/],
    ['target=/a,ro=maybe', /invalid value for ro/],
    ['target=/a,size=1', /unexpected key 'size'/],
    ['target=/a,mode=755', /unexpected key 'mode'/],
    ['type=cache,target=/a,mode=999', /invalid value 999 for mode/],
    ['type=cache,target=/a,sharing=some', /unsupported sharing/],
    ['type=tmpfs,target=/a,size=lots', /invalid value for size/],
    ['type=secret', /one of id, source, target/],
    ['type=secret,source=a,id=b', /both source and id/],
    ['type=secret,from=a,id=b', /unexpected key 'from'/],
    ['"target=/a', /extraneous or missing "/],
  ]
  for (const [text, expected] of wrong) {
    test(`${text} is refused`, () =>
      assert.throws(
        () => parse(text),
        (error: Error) => expected.test(error.message.replace('readonly', 'ro')),
      ))
  }
})
