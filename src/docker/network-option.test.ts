import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNetworkOption } from './network-option.ts'

test('--network takes a name or the long form, as docker reads it', () => {
  const cases: [string, ReturnType<typeof parseNetworkOption>][] = [
    ['app', { network: 'app' }],
    ['container:web', { network: 'container:web' }],
    ['name=app', { network: 'app' }],
    ['name=app,alias=db,alias=Store', { network: 'app', aliases: ['db', 'Store'] }],
    [
      'name=app,ip=10.5.0.9,ip6=fd00::9,mac-address=02:42:00:00:00:09,gw-priority=-2',
      {
        network: 'app',
        ipAddress: '10.5.0.9',
        ipv6Address: 'fd00::9',
        macAddress: '02:42:00:00:00:09',
        gatewayPriority: -2,
      },
    ],
    ['name=app,"driver-opt=a=b,c"', { network: 'app', driverOptions: { a: 'b,c' } }],
  ]
  for (const [text, wanted] of cases) assert.deepEqual(parseNetworkOption(text), wanted, text)
})

test('what is wrong with the long form is said in docker’s words', () => {
  const cases: [string, RegExp][] = [
    ['alias=db', /network name\/id is not specified/],
    ['name=app,nope=1', /invalid field key nope/],
    ['name=app,constructor=1', /invalid field key constructor/],
    ['name=app,__proto__=1', /invalid field key __proto__/],
    ['name=app,alias', /invalid field alias/],
    ['name=app,gw-priority=high', /invalid gw-priority: .*invalid syntax/],
    ['name=app,driver-opt=x', /invalid key value pair format in driver options/],
  ]
  for (const [text, words] of cases) assert.throws(() => parseNetworkOption(text), words, text)
})
