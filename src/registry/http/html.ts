import { createHash } from 'node:crypto'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { table } from '#base'

/** Text that is HTML already. Made by `html` alone, which escapes what is put into it. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** HTML with values in it, which are text: nothing in them is markup. Undefined is nothing. */
export function html(parts: TemplateStringsArray, ...values: (Html | string | undefined)[]): Html {
  const texts = values.map((value) => (value instanceof Html ? value.text : escaped(value ?? '')))
  return new Html(parts.map((part, at) => part + (texts[at] ?? '')).join(''))
}

const ENTITIES = table({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })

const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign]!)

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:26em;margin:4em auto;padding:0 1em;color:#222;background:#fff}
label{display:block;margin:1em 0}input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.4em}
button,a.button{display:inline-block;font:inherit;padding:.4em 1em;margin:.5em .5em 0 0;border:1px solid #666;border-radius:4px;background:#f4f4f4;color:#222;text-decoration:none}
code{font-size:1.4em;letter-spacing:.1em}.failure{color:#a00}
@media (prefers-color-scheme:dark){body{color:#ddd;background:#181818}button,a.button{background:#333;color:#ddd}.failure{color:#f88}}`

/** No script, nothing from elsewhere, no frame of another site around it, and nothing of its address told to others. */
const HEADERS: OutgoingHttpHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** A page for people. */
export interface Page {
  title: string
  body: Html
}

export function sendPage(
  response: ServerResponse,
  { title, body }: Page,
  { status = 200, headers = {} }: { status?: number; headers?: OutgoingHttpHeaders } = {},
): void {
  const whole = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${new Html(STYLE)}</style></head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`
  const bytes = Buffer.from(whole.text)
  const own = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': bytes.length }
  response.writeHead(status, { ...HEADERS, ...own, ...headers }).end(bytes)
}

/** Sends a browser elsewhere, which it gets by GET. */
export function sendElsewhere(response: ServerResponse, location: string, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(303, { ...HEADERS, ...headers, Location: location, 'Content-Length': 0 }).end()
}
