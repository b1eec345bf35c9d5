import * as v from 'valibot'
import { operation } from './operation.ts'
import { pageOfOwned } from './page-of-owned.ts'
import { accountName, flag, group, groupName, organisationName, page, pageLimit, teamName, userName } from './values.ts'
import { administrators, ownersOfGroup, ownersOfListed } from './who.ts'

/** Organisations, their teams, and the members of both. */
export const organisationOperations = {
  'organisations.list': operation('organisations.list', {
    method: 'GET',
    path: '/organisations',
    summary: 'Lists organisations with their members and with what each member may do',
    who: ownersOfListed,
    query: { name: v.optional(organisationName), last: v.optional(organisationName), limit: pageLimit },
    result: page(group, organisationName),
    pages: 'last',
    gathered: true,
    run: (admin, { name, ...page }, { caller: { names } }) =>
      pageOfOwned({ names, wanted: name }, page, (one, page) => admin.organisations.list(one, page)),
    input: (name, page) => ({ name, ...page }),
    output: ({ items }) => items,
  }),
  'organisations.add': operation('organisations.add', {
    method: 'POST',
    path: '/organisations',
    summary: 'Adds an organisation',
    who: administrators,
    body: {
      name: organisationName,
      owner: v.optional(userName),
      adopt: v.optional(flag('Also takes over repositories and rights that are below the name')),
    },
    run: (admin, { name, ...options }) => admin.organisations.add(name, options),
    input: (name, options) => ({ name, ...options }),
    output: () => undefined,
  }),
  'organisations.remove': operation('organisations.remove', {
    method: 'DELETE',
    path: '/organisations/{name}',
    summary: 'Removes an organisation without repositories, with its teams, robots and all rights below its name',
    who: administrators,
    parameters: { name: organisationName },
    run: (admin, { name }) => admin.organisations.remove(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'organisations.listTeams': operation('organisations.listTeams', {
    method: 'GET',
    path: '/teams',
    summary: 'Lists teams with their members and rights, of all organisations or of one',
    who: ownersOfListed,
    query: { organisation: v.optional(organisationName), last: v.optional(teamName), limit: pageLimit },
    result: page(group, teamName),
    pages: 'last',
    gathered: true,
    run: (admin, { organisation, ...page }, { caller: { names } }) =>
      pageOfOwned({ names, wanted: organisation }, page, (one, page) => admin.organisations.listTeams(one, page)),
    input: (organisation, page) => ({ organisation, ...page }),
    output: ({ items }) => items,
  }),
  'organisations.addTeam': operation('organisations.addTeam', {
    method: 'POST',
    path: '/teams',
    summary: 'Adds a team to an organisation',
    who: ownersOfGroup('name'),
    body: { name: teamName },
    run: (admin, { name }) => admin.organisations.addTeam(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'organisations.removeTeam': operation('organisations.removeTeam', {
    method: 'DELETE',
    path: '/teams/{name}',
    summary: 'Removes a team',
    who: ownersOfGroup('name'),
    parameters: { name: teamName },
    run: (admin, { name }) => admin.organisations.removeTeam(name),
    input: (name) => ({ name }),
    output: () => undefined,
  }),
  'organisations.setMember': operation('organisations.setMember', {
    method: 'PUT',
    path: '/groups/{group}/members/{name}',
    summary: 'Makes an account a member of an organisation or team, or a member something else',
    who: ownersOfGroup('group'),
    parameters: { group: groupName, name: accountName },
    body: { role: v.picklist(['owner', 'member'], 'expects owner or member') },
    run: (admin, { group, name, role }) => admin.organisations.setMember(group, name, role),
    input: (group, name, role) => ({ group, name, role }),
    output: () => undefined,
  }),
  'organisations.removeMember': operation('organisations.removeMember', {
    method: 'DELETE',
    path: '/groups/{group}/members/{name}',
    summary: 'Removes a member from an organisation and its teams, or from a team',
    who: ownersOfGroup('group'),
    parameters: { group: groupName, name: accountName },
    run: (admin, { group, name }) => admin.organisations.removeMember(group, name),
    input: (group, name) => ({ group, name }),
    output: () => undefined,
  }),
}
