import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { errnoOf } from '#base'
import { readTextSync } from '#host/file'

const interfaces = '/sys/class/net'

/** `eth0` has the letter that it had when containers had one network only. */
const LETTERS = 'v123456789abcdefghijklmnopqrstuwxyz'

/** IFF_UP of linux/if.h. */
const UP = 0x1

/** The host's end of a container's pair, where bale and not netavark made it; undefined beyond the 35th interface. */
export function linkOf(owner: string, interfaceName: string): string | undefined {
  const letter = LETTERS[Number(interfaceName.replace('eth', ''))]
  return letter && `b${letter}-${owner.slice(0, 12)}`
}

/** All links of an owner that are there, whichever interfaces they belong to and whoever made them. */
export function linksOf(owner: string): string[] {
  const own = new RegExp(`^b[${LETTERS}]-${owner.slice(0, 12)}$`)
  return readdirSync(interfaces).filter(
    (name) => own.test(name) || (name.startsWith('veth') && ownerOf(name) === owner),
  )
}

/** Ports of a bridge by name; none when it is not there. */
export function portsOf(bridge: string): string[] {
  const directory = `${interfaces}/${bridge}/brif`
  return existsSync(directory) ? readdirSync(directory) : []
}

/** Writes down whose link this is: netavark names its own by numbers. */
export function markLink(link: string, owner: string): void {
  writeFileSync(`${interfaces}/${link}/ifalias`, owner)
}

function ownerOf(link: string): string | undefined {
  try {
    return readTextSync(`${interfaces}/${link}/ifalias`).trim()
  } catch (error) {
    if (isGone(error)) return
    throw error
  }
}

/** The other end goes with it. Nothing happens when it is not there. */
export async function deleteLink(
  { ip }: { ip(batch: readonly string[]): Promise<void> },
  link: string | undefined,
): Promise<void> {
  if (link === undefined || !isThere(link)) return
  try {
    await ip([`link del ${link}`])
  } catch (error) {
    // The kernel was about to do it, as its namespace is gone.
    if (isThere(link)) throw error
  }
}

/** Sets an interface up. */
export function raiseLink(link: string): void {
  const flags = `${interfaces}/${link}/flags`
  writeFileSync(flags, `${Number(readTextSync(flags)) | UP}`)
}

/**
 * Takes an end off the wire until the kernel removes it, which it does some time after the namespace is let go, and not as
 * long as anybody looks into it: its address may be another container's by then. A write here costs a twentieth of `ip`.
 */
export function silenceLink(link: string): void {
  const flags = `${interfaces}/${link}/flags`
  try {
    writeFileSync(flags, `${Number(readTextSync(flags)) & ~UP}`)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

/** The kernel removed it meanwhile. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENODEV', 'EINVAL'].includes(errnoOf(error) ?? '')
}

function isThere(link: string): boolean {
  return existsSync(`${interfaces}/${link}`)
}
