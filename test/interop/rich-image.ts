import type { TestBale } from '../kit/bale.ts'
import { busyboxTar } from '../kit/busybox.ts'

/** Things that archives and unpackers get wrong, in two layers over the base: links, modes, owners, names, deletions. */
const FIRST = `set -e
mkdir -p /data/gone /data/kept /data/remade/old /data/empty
echo one > /data/kept/one; ln /data/kept/one /data/kept/hard; ln -s ../kept/one /data/kept/soft; ln -s /no/where /data/dangling
echo set > /data/setuid; chown 1000:2000 /data/setuid; chmod 4750 /data/setuid; chmod 1777 /data/empty
mkfifo /data/fifo; echo x > "/data/with space and ünïcode"
long=$(printf 'n%.0s' $(seq 1 200)); mkdir -p /data/$long; echo deep > /data/$long/$long
head -c 300000 /dev/zero > /data/zeros; echo old > /data/remade/old/file; echo g > /data/gone/file; : > /data/nothing
touch -d '2001-02-03 04:05:06' /data/kept/one`
const SECOND = `set -e
rm -r /data/gone /data/remade /etc/group; mkdir /data/remade; echo new > /data/remade/file
echo more >> /data/kept/one; rm /data/dangling; mkdir /data/dangling; chmod 700 /data/empty`

export const RICH = 'rich:1'

/** Puts the image `rich:1` of three layers into bale's store: imported, then run and committed twice. */
export async function makeRichImage(bale: TestBale): Promise<void> {
  await bale.run(['import', '--change', 'CMD ["cat","/data/remade/file"]', busyboxTar(bale.directory), 'busybox:1'])
  let from = 'busybox:1'
  for (const script of [FIRST, SECOND]) {
    await bale.run(['run', '--name', 'layer', '--network', 'none', from, 'sh', '-c', script])
    await bale.run(['commit', '-c', 'CMD ["cat","/data/remade/file"]', '-c', 'ENV RICH=yes', 'layer', RICH])
    await bale.run(['rm', 'layer'])
    from = RICH
  }
}
