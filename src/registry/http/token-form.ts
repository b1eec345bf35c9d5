import { readAll } from '#base'
import type { Authentication } from '../auth/index.ts'
import type { Exchange, RegistryContext } from './exchange.ts'
import { Refusal } from './failure.ts'

/** Source: RFC 8693. */
export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
/** What types of tokens begin with. */
export const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:'

const FORM_LIMIT = 64 * 1024

/** Who sends a form, by what it shows. */
export async function checkForm(
  context: RegistryContext,
  { request }: Exchange,
  form: URLSearchParams,
): Promise<Authentication> {
  const { authenticator, origin } = context
  const field = (name: string) => form.get(name) ?? ''
  switch (form.get('grant_type')) {
    case 'password':
      return await authenticator.checkPassword(field('username'), field('password'), origin.network(request))
    case 'refresh_token':
      return await authenticator.checkRefreshToken(field('refresh_token'))
    case EXCHANGE:
      checkExchange(form)
      return await authenticator.checkWorkload(field('subject_token'))
    default:
      throw new Refusal(400, 'UNSUPPORTED', 'unsupported grant_type')
  }
}

function checkExchange(form: URLSearchParams): void {
  const [given, wanted] = [form.get('subject_token_type'), form.get('requested_token_type')]
  if (!SUBJECT_TYPES.some((type) => given === TOKEN_TYPE + type)) {
    throw new Refusal(400, 'UNSUPPORTED', 'a subject_token must be a jwt or an id_token')
  }
  if (wanted !== null && wanted !== `${TOKEN_TYPE}access_token`) {
    throw new Refusal(400, 'UNSUPPORTED', 'only an access_token can be requested')
  }
}

const SUBJECT_TYPES = ['jwt', 'id_token']

export async function readForm({ request }: Exchange): Promise<URLSearchParams> {
  const body = await readAll(request.iterator({ destroyOnReturn: false }), { limit: FORM_LIMIT, what: 'the form' })
  return new URLSearchParams(new TextDecoder().decode(body))
}
