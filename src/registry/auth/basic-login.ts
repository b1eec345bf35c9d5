const LOGIN_LIMIT = 1024

/** Whose password is a token of a CI service: docker and its like know names and passwords alone. */
export const WORKLOAD_USER = 'oidc'
/** Those of some services have many claims. */
const WORKLOAD_LIMIT = 16 * 1024

export const isJwt = (text: string) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)

/** Source: RFC 7617. The password may hold colons. */
export function readBasic(value: string): { name: string; password: string } | undefined {
  const text = Buffer.from(value, 'base64').toString()
  const colon = text.indexOf(':')
  const name = text.slice(0, colon)
  if (colon < 0 || text.length > (name === WORKLOAD_USER ? WORKLOAD_LIMIT : LOGIN_LIMIT)) return undefined
  return { name, password: text.slice(colon + 1) }
}
