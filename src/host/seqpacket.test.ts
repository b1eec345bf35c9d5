import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { connectPackets } from './seqpacket.ts'

const skip = !existsSync('/usr/bin/perl') && 'needs perl for a server of packets'

/** Accepts a client, waits until it has sent something, writes three packets and is gone without having read. */
const SERVER = `
use Socket; $| = 1;
for my $turn (1 .. $ARGV[1]) {
  unlink $ARGV[0]; socket(my $server, PF_UNIX, 5, 0); bind($server, sockaddr_un($ARGV[0])); listen($server, 1);
  print "$turn\\n"; accept(my $client, $server);
  my $in = ''; vec($in, fileno($client), 1) = 1; select($in, undef, undef, 5);
  send($client, "$_", 0) for qw(one two three);
  close $client; close $server;
}`

test('what a peer wrote before it went arrives, though it did not read what was sent to it: 50 times', {
  skip,
}, async () => {
  await using directory = await temporaryDirectory('bale-packets')
  const path = join(directory.path, 'socket')
  const server = spawn('perl', ['-e', SERVER, path, '50'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ready = server.stdout[Symbol.asyncIterator]()
  for (let turn = 1; turn <= 50; turn++) {
    await ready.next()
    const socket = connectPackets(path)
    const sending = (async () => {
      for (let count = 0; count < 20; count++) await socket.send(Buffer.alloc(100))
    })().catch((error: { code?: string }) => assert.match(error.code ?? '', /EPIPE|ECONNRESET|DESTROYED/))
    const seen: string[] = []
    for await (const packet of socket.packets()) seen.push(Buffer.from(packet).toString())
    assert.deepEqual(seen, ['one', 'two', 'three'], `turn ${turn}`)
    await sending
    socket.close()
  }
})
