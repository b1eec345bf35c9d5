/** The process that matches inventories with a bundle of advisories. It has no environment and no network, and reads the bundle alone. */
import { type AdvisoryBundle, openBundle } from '#trust/advisories/bundle'
import { createMatcher } from '#trust/match'
import { type Frame, readFrames, writeFrame } from './frames.ts'
import { BEGIN, DAY, FAILURE, KEYS, MATCH, type OpenedBundle, RESULT } from './messages.ts'
import { decodeInventory, encodeResult, findingKeys, TEXT_LIMIT } from './scan-record.ts'
import { failureText } from './told-failure.ts'

let bundle: AdvisoryBundle | undefined
let matching: { today: string; match: ReturnType<typeof createMatcher> } | undefined
let today = ''

/** One serves for many inventories, until the day ends. */
function matcher(): ReturnType<typeof createMatcher> {
  if (matching?.today !== today) matching = { today, match: createMatcher(bundle!, { today }) }
  return matching.match
}

async function act({ kind, bytes }: Frame): Promise<void> {
  if (kind === BEGIN) {
    bundle = openBundle(bytes.toString())
    const { version, created } = bundle.info
    const opened: OpenedBundle = { version, created: new Date(created).toISOString() }
    await writeFrame(process.stdout, RESULT, JSON.stringify(opened))
  } else if (kind === DAY) {
    today = bytes.toString()
  } else if (kind === MATCH) {
    const result = matcher()(decodeInventory(bytes))
    const encoded = encodeResult(result)
    await writeFrame(process.stdout, KEYS, JSON.stringify(findingKeys(result)))
    await writeFrame(process.stdout, RESULT, encoded)
  }
}

async function main(): Promise<never> {
  for await (const frame of readFrames(process.stdin, TEXT_LIMIT)) {
    try {
      await act(frame)
    } catch (error) {
      await writeFrame(process.stdout, FAILURE, failureText(error))
    }
  }
  process.exit(0)
}

void main()
