/** What changes, in the words of the audit log and of events. */
export type ChangeAction = AccountAction | ContentAction | TagAction

/** Of what a repository holds by digest, and of repositories. */
export type ContentAction = (typeof CONTENT)[number]
type TagAction = (typeof TAGS)[number]
/** Of accounts, rights and rules. */
export type AccountAction = (typeof ACCOUNTS)[number]

const TAGS = ['tag.set', 'tag.delete'] as const
const CONTENT = [
  'manifest.push',
  'manifest.delete',
  'blob.delete',
  'repository.remove',
  'manifest.cache',
  'image.promote',
  'repository.rename',
  ...(['image.scan', 'image.quarantine', 'image.release', 'image.unset'] as const),
  ...(['image.blocked', 'image.allowed', 'image.exempt'] as const),
] as const
const ACCOUNTS = [
  ...(['user.add', 'user.remove', 'user.password', 'user.admin', 'user.logout', 'robot.add', 'robot.remove'] as const),
  ...(['organisation.add', 'organisation.remove', 'team.add', 'team.remove', 'member.set', 'member.remove'] as const),
  ...(['grant.set', 'grant.remove', 'public.add', 'public.remove', 'token.add', 'token.remove', 'login.add'] as const),
  ...(['session.add', 'session.end', 'device.allow', 'device.deny'] as const),
  ...(['policy.add', 'policy.remove', 'hook.add', 'hook.remove', 'hook.enable', 'hook.disable'] as const),
  ...(['quota.set', 'quota.remove', 'redirect.end', 'certificate.set'] as const),
  ...(['replication.run', 'replication.retry', 'exception.add', 'exception.remove', 'exception.expiring'] as const),
] as const

/** Those that happen in one repository. */
export const REPOSITORY_ACTIONS: readonly ChangeAction[] = [...TAGS, ...CONTENT]
/** All others. */
export const ACCOUNT_ACTIONS: readonly ChangeAction[] = ACCOUNTS
