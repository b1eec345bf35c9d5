/** As much of a browser as logins need: cookies, redirects, forms, and what it tells servers of where a request comes from. */
import { type IncomingHttpHeaders, request as send } from 'node:http'
import { text } from 'node:stream/consumers'

export interface ShownPage {
  url: URL
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface Submission {
  /** What somebody types. */
  fields?: Record<string, string>
  /** A form of the page, by something that is in it; the first by default. */
  form?: string
  /** It is sent by a page of another site. */
  from?: 'cross-site' | 'same-origin'
}

export interface Browser {
  /** By their names; browsers send them to all ports of a host. */
  readonly cookies: Map<string, string>
  /** Addresses that it was at, redirects included. */
  readonly visited: URL[]
  /** Goes to an address, as if it was typed; `until` stops before an address that begins so. */
  open(url: string | URL, options?: { until?: string }): Promise<ShownPage>
  /** Sends a form of the page that is shown. */
  submit(submission?: Submission): Promise<ShownPage>
  /** Follows a link of the page by its text. */
  follow(words: string): Promise<ShownPage>
}

type Site = 'none' | 'same-origin' | 'cross-site'

export function createBrowser(): Browser {
  const cookies = new Map<string, string>()
  const visited: URL[] = []
  let page: ShownPage | undefined

  async function go(url: URL, site: Site, body: string | undefined, until?: string): Promise<ShownPage> {
    for (let hops = 0; hops < 20; hops++) {
      visited.push(url)
      const shown = await exchange(url, cookies, { site, body })
      page = shown
      const { location } = shown.headers
      if (shown.status < 300 || shown.status > 399 || location === undefined) return shown
      const next = new URL(location, url)
      if (until !== undefined && next.href.startsWith(until)) return { ...shown, url: next }
      if (next.origin !== url.origin && site !== 'none') site = 'cross-site'
      url = next
      body = undefined
    }
    throw new Error(`too many redirects, the last to ${url.href}`)
  }

  const current = (): ShownPage => {
    if (!page) throw new Error('no page is shown')
    return page
  }

  return {
    cookies,
    visited,
    open: (url, { until } = {}) => go(new URL(url), 'none', undefined, until),
    async submit({ fields = {}, form, from = 'same-origin' } = {}) {
      const shown = current()
      const forms = [...shown.text.matchAll(/<form method="(\w+)" action="([^"]*)">(.*?)<\/form>/gs)]
      const found = forms.find(([whole]) => form === undefined || whole.includes(form))
      if (!found) throw new Error(`no form with ${form} in ${shown.text}`)
      const [, method, action = '', inside = ''] = found
      const given = new URLSearchParams()
      for (const [, name = '', value = ''] of inside.matchAll(
        /<input type="hidden" name="([^"]*)" value="([^"]*)">/g,
      )) {
        given.set(name, plain(value))
      }
      for (const [name, value] of Object.entries(fields)) given.set(name, value)
      const url = new URL(plain(action), shown.url)
      if (method === 'post') return await go(url, from, given.toString())
      url.search = given.toString()
      return await go(url, from, undefined)
    },
    async follow(words) {
      const shown = current()
      const links = [...shown.text.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)]
      const found = links.find(([, , name = '']) => plain(name) === words)
      if (!found) throw new Error(`no link ${words} in ${shown.text}`)
      return await go(new URL(plain(found[1]!), shown.url), 'same-origin', undefined)
    },
  }
}

const plain = (html: string) =>
  html.replaceAll(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!,
  )

async function exchange(
  url: URL,
  cookies: Map<string, string>,
  { site, body }: { site: Site; body: string | undefined },
): Promise<ShownPage> {
  const headers: Record<string, string> = { 'sec-fetch-site': site }
  if (cookies.size > 0) headers['cookie'] = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  if (body !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
  const method = body === undefined ? 'GET' : 'POST'
  const shown = await new Promise<ShownPage>((resolve, reject) => {
    const outgoing = send(url, { method, headers, agent: false }, (incoming) => {
      const { statusCode = 0, headers: answered } = incoming
      text(incoming).then((read) => resolve({ url, status: statusCode, headers: answered, text: read }), reject)
    })
    outgoing.on('error', reject).end(body)
  })
  for (const line of shown.headers['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '' || /max-age=0(?:;|$)|expires=thu, 01 jan 1970/i.test(line)) cookies.delete(name)
    else cookies.set(name, value)
  }
  return shown
}
