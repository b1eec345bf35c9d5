import type { DeviceLogin } from '../meta/index.ts'
import { Html, html, type Page } from './html.ts'

/** What a form says besides what somebody types. */
const hidden = (name: string, value: string) => html`<input type="hidden" name="${name}" value="${value}">`

const failed = (failure: string | undefined) =>
  failure ? html`<p class="failure" role="alert">${failure}</p>` : undefined

const joined = (parts: readonly Html[]) => new Html(parts.map(({ text }) => text).join('\n'))

/** A form for name and password, and a link to the provider if there is one. */
export function signInPage(options: { to: string; provider: string | undefined; failure?: string | undefined }): Page {
  const { to, provider, failure } = options
  const query = new URLSearchParams({ by: 'provider', to })
  return {
    title: 'Log in',
    body: html`${failed(failure)}
<form method="post" action="/login">
${hidden('to', to)}
<label>Name <input name="name" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
${provider === undefined ? undefined : html`<p>or <a class="button" href="/login?${query.toString()}">Log in with ${provider}</a></p>`}`,
  }
}

interface Person {
  name: string
  /** See `Sessions.formToken`. */
  token: string
}

export function signedInPage({ name, token }: Person): Page {
  return {
    title: 'Logged in',
    body: html`<p>You are logged in as <strong>${name}</strong>.</p>
<p><a class="button" href="/login/device">Let a program in</a></p>
${logOutForm(token)}`,
  }
}

const logOutForm = (token: string) =>
  html`<form method="post" action="/login/logout">${hidden('token', token)}<button>Log out</button></form>`

/** Where a code is typed. */
export function deviceCodePage({ name, failure }: { name: string; failure?: string | undefined }): Page {
  return {
    title: 'Let a program in',
    body: html`${failed(failure)}
<p>You are logged in as <strong>${name}</strong>. Type the code that the program shows.</p>
<form method="get" action="/login/device">
<label>Code <input name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus></label>
<button>Go on</button>
</form>`,
  }
}

/** Who wants in. Nothing happens before a button is pressed, wherever the code came from. */
export function deviceDecisionPage({
  person,
  code,
  device,
}: {
  person: Person
  code: string
  device: DeviceLogin
}): Page {
  const form = (decision: string, words: string) =>
    html`<form method="post" action="/login/device">${hidden('token', person.token)}${hidden('user_code', code)}${hidden('decision', decision)}<button>${words}</button></form>`
  return {
    title: 'Let a program in?',
    body: html`<p>A program that calls itself <strong>${device.client}</strong>, at the address <strong>${device.address}</strong>, wants to
log in as <strong>${person.name}</strong>. It could then do all that you may do in this registry.</p>
<p><code>${code}</code></p>
<p>Allow it only if you have started it yourself a moment ago, and it shows this code.</p>
${joined([form('allow', 'Allow'), form('deny', 'Deny')])}`,
  }
}

/** That something is done, or cannot be. */
export function messagePage(title: string, ...lines: (string | undefined)[]): Page {
  return { title, body: joined(lines.filter((line) => line !== undefined).map((line) => html`<p>${line}</p>`)) }
}

/** What the provider has to do with it is said, and that there is another way. */
export function problemPage(message: string, hint?: string): Page {
  return {
    title: 'That did not work',
    body: html`<p class="failure" role="alert">${message}</p>
${hint === undefined ? undefined : html`<p>${hint}</p>`}
<p><a class="button" href="/login?by=password">Log in</a></p>`,
  }
}
