import type { EventMessage } from './event-message.ts'
import { type FilterPair, Filters } from './filters.ts'

const KNOWN = ['container', 'daemon', 'event', 'image', 'label', 'network', 'plugin', 'scope', 'type', 'volume']

/** Actions that carry a command or a word after a colon; without it, all of them are meant. */
const OPEN_ACTIONS = ['health_status', 'exec_create', 'exec_start']

/**
 * docker's filters of events. Values of one name are alternatives, labels must all be there. Throws INVALID_ARGUMENT for
 * unknown names. Source: moby, daemon/events/filter.go.
 */
export function eventFilter(pairs: readonly FilterPair[]): (message: EventMessage) => boolean {
  const filters = new Filters(pairs, KNOWN)
  const isOf = (
    type: 'container' | 'daemon' | 'network' | 'plugin' | 'volume',
    { ID, Attributes }: EventMessage['Actor'],
  ) =>
    filters.isPrefixOf(type, ID) || (Attributes['name'] !== undefined && filters.isPrefixOf(type, Attributes['name']))
  return ({ Type, Action, Actor, scope }) =>
    isAction(filters, Action) &&
    filters.isOneOf('type', Type) &&
    filters.isOneOf('scope', scope) &&
    isOf('container', Actor) &&
    isOf('daemon', Actor) &&
    isOf('network', Actor) &&
    isOf('plugin', Actor) &&
    isOf('volume', Actor) &&
    isImage(filters, Type, Actor) &&
    filters.matchesLabels(Actor.Attributes)
}

function isAction(filters: Filters, action: string): boolean {
  const open = filters.get('event').some((value) => OPEN_ACTIONS.includes(value))
  return open ? filters.isPrefixOf('event', action) : filters.isOneOf('event', action)
}

/** An image by ID or name, with its tag or without, and the containers made from it. */
function isImage(filters: Filters, type: string, { ID, Attributes }: EventMessage['Actor']): boolean {
  const name = Attributes[type === 'image' ? 'name' : 'image'] ?? ''
  return [ID, name, withoutTag(ID), withoutTag(name)].some((text) => filters.isOneOf('image', text))
}

function withoutTag(name: string): string {
  return name.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
}
