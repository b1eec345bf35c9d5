import type { MetaStore } from '../meta/index.ts'
import { type AccessTokens, createAccessTokens } from './access-tokens.ts'
import { type AuditLog, createAuditLog } from './audit-log.ts'
import { createOrganisations, type Organisations } from './organisations.ts'
import { createRobots, type Robots } from './robots.ts'
import { createUsers, type Users } from './users.ts'
import { createVisibility, type Visibility } from './visibility.ts'

/** Who may do what. What is changed counts from the next request on. */
export interface Accounts {
  users: Users
  organisations: Organisations
  robots: Robots
  accessTokens: AccessTokens
  visibility: Visibility
  audit: AuditLog
}

export function createAccounts(meta: MetaStore): Accounts {
  return {
    users: createUsers(meta),
    organisations: createOrganisations(meta),
    robots: createRobots(meta),
    accessTokens: createAccessTokens(meta),
    visibility: createVisibility(meta),
    audit: createAuditLog(meta),
  }
}
