import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import type { PacketSocket } from './packet-socket.ts'
import { connectByCalls } from './packets-by-calls.ts'
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

const ways: Record<string, (path: string) => PacketSocket> = { handle: connectPackets, calls: connectByCalls }

for (const [way, connectBy] of Object.entries(ways))
  test(`${way}: what a peer wrote before it closed arrives, although it never read what was sent to it: 50 times`, {
    skip,
  }, async () => {
    await using directory = await temporaryDirectory('bale-packets')
    const path = join(directory.path, 'socket')
    const server = spawn('perl', ['-e', SERVER, path, '50'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ready = server.stdout[Symbol.asyncIterator]()
    for (let turn = 1; turn <= 50; turn++) {
      await ready.next()
      const socket = connectBy(path)
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

/** Sends back each packet with its length in front, and says goodbye after the client's end. */
const ECHO = `
use Socket; $| = 1;
socket(my $server, PF_UNIX, 5, 0); bind($server, sockaddr_un($ARGV[0])); listen($server, 1);
print "ready\\n"; accept(my $client, $server);
while (defined recv($client, my $packet, 100000, 0)) { last if $packet eq ''; send($client, length($packet) . $packet, 0) }
send($client, 'bye', 0);`

for (const [way, connectBy] of Object.entries(ways))
  test(`${way}: packets keep their borders in both directions, more of them than the socket holds; closing ends a wait`, {
    skip,
  }, async () => {
    await using directory = await temporaryDirectory('bale-packets')
    const path = join(directory.path, 'socket')
    const server = spawn('perl', ['-e', ECHO, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    await server.stdout[Symbol.asyncIterator]().next()
    const socket = connectBy(path)
    const sending = (async () => {
      for (let count = 0; count < 300; count++) await socket.send(Buffer.alloc(5000 + count, 'x'))
      socket.end()
    })()
    const seen: string[] = []
    for await (const packet of socket.packets()) seen.push(Buffer.from(packet).toString())
    await sending
    assert.deepEqual(
      seen.map((text) => text.replace(/x+$/, '')),
      [...Array.from({ length: 300 }, (_, count) => String(5000 + count)), 'bye'],
    )
    socket.close()

    const quiet = spawn('perl', ['-e', `${ECHO} sleep 60`, `${path}2`], { stdio: ['ignore', 'pipe', 'inherit'] })
    await quiet.stdout[Symbol.asyncIterator]().next()
    const waiting = connectBy(`${path}2`)
    const reading = (async () => {
      for await (const _ of waiting.packets()) assert.fail('nothing was sent')
    })()
    waiting.close()
    await reading
    quiet.kill()
  })
