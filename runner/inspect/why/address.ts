/** Why is this address where it is, or nowhere? Pure: from what the nodes have told. */
import type { OwnedRow } from '../cluster/owners.ts'
import { nodesText } from '../cluster/compare.ts'
import type { WhyAnswer } from './answer.ts'
import { COULD, couldHost } from './could-host.ts'
import { faultOf, rivalOf } from './culprit.ts'
import { believedText, configuredText, isBelieved, kernelText, ownedOf, seenIn, wireText } from './sides.ts'
import type { NodeView } from './views.ts'

interface Cause {
  answer: string
  remedies: readonly string[]
  isWell?: boolean
}

export function whyAddress(address: string, views: readonly NodeView[]): WhyAnswer {
  const owned = ownedOf(address, views)
  const { answer, remedies, isWell = false } = causeOf(address, owned, views)
  return {
    answer,
    isWell,
    evidence: [
      ['configured', configuredText(address, views)],
      ['CTDB', believedText(owned)],
      ['kernel', kernelText(owned)],
      ['wire', wireText(views)],
      ...views.map((view): [string, string] => [`node ${view.node}`, couldHost(address, view)]),
    ],
    remedies,
  }
}

/** The first that applies. */
function causeOf(address: string, owned: OwnedRow | undefined, views: readonly NodeView[]): Cause {
  const [owner, another] = owned?.owners ?? []
  const silent = views.filter(({ told }) => told === undefined)
  if (owner && another)
    return {
      answer: `${address} is on ${nodesText(owned?.owners.map(({ node }) => node) ?? [])} at once: CTDB says ${believedText(owned)}`,
      remedies:
        owned?.owners.flatMap(({ node }) =>
          isBelieved(owned, node) ? [] : [`onnode ${node} eventscript audit --fix`],
        ) ?? [],
    }
  const rival = rivalOf(address, views)
  if (rival)
    return {
      answer: `${address} is ${owner ? `on node ${owner.node}` : `not on the wire here`}, and a host outside the cluster has it too: ${rival.mac} answers on ${rival.iface} of node ${rival.node}`,
      remedies: [`find ${rival.mac} (the switch knows its port), and take ${address} off that host`],
    }
  const fault = faultOf(address, owned, views)
  if (fault)
    return {
      answer: `${address} ${owner ? `is on node ${owner.node}, but` : `should be on node ${fault.node}:`} ${fault.seen}: expected ${fault.expected}`,
      remedies: fault.repair === undefined ? [] : [`on node ${fault.node}: ${fault.repair}`],
    }
  if (owner)
    return {
      answer: `${address} is on node ${owner.node}: ${owner.places.join(' and ')}, as CTDB says`,
      remedies: [],
      isWell: silent.length === 0,
    }
  return absent(address, owned, views)
}

function absent(address: string, owned: OwnedRow | undefined, views: readonly NodeView[]): Cause {
  const believed = owned?.views.find(({ node }) => node >= 0)?.node
  const there = views.find(({ node }) => node === believed)
  if (there?.silent !== undefined)
    return {
      answer: `${address} is on node ${believed}, as CTDB says: that node is silent: not known from here: run "eventscript why ${address}" on node ${believed}`,
      remedies: [],
    }
  const isListed = views.some(({ told }) => seenIn(told?.addresses, address)?.listed !== undefined)
  const unread = views.filter(({ told }) => told?.unread !== undefined)
  if (owned === undefined || (!isListed && unread.length === 0))
    return {
      answer: `${address} is no public address: it is not in public_addresses of ${nodesText(views.filter(({ told }) => told).map(({ node }) => node))}`,
      remedies: ['add it to public_addresses, then "ctdb reloadips all"'],
    }
  const reasons = views.map((view) => `node ${view.node}: ${couldHost(address, view)}`)
  return {
    answer: `${address} is on no node: ${reasons.join('; ')}`,
    remedies: views.some((view) => couldHost(address, view) === COULD)
      ? ['"ctdb ipreallocate" lets CTDB place it again']
      : ['"eventscript why NODE" says what to do for each of these nodes'],
  }
}
