/** Debian's Chromium without a window, driven as a person would: what our own pages do in a real browser. */
import { existsSync } from 'node:fs'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

const PROGRAM = '/usr/bin/chromium'

export interface Chromium extends AsyncDisposable {
  /** An empty page of somebody who was nowhere yet. */
  page(): Promise<ShownPage>
}

export interface ShownPage {
  page: Page
  /** What the browser has to complain about: scripts and styles that it refused, errors. */
  complaints: string[]
}

/** Why it cannot run on this machine, for `skip`; false when it can. */
export function withoutChromium(): string | false {
  return existsSync(PROGRAM) ? false : 'chromium is not installed (apt-get install chromium)'
}

/** Host names that end with `.test` are this machine; certificates are not looked at. */
export async function startChromium(): Promise<Chromium> {
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    // It refuses to run as root otherwise.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP *.test 127.0.0.1'],
  })
  return {
    async page() {
      const context: BrowserContext = await browser.newContext({ ignoreHTTPSErrors: true })
      // Milliseconds. As in `until`, this only ends a wait for something that never happens.
      context.setDefaultTimeout(120_000)
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(String(error)))
      return { page, complaints }
    },
    [Symbol.asyncDispose]: () => browser.close(),
  }
}
