/**
 * The public addresses of this node: taken, watched, moved and released. The kernel is asked where an address
 * really is; what the daemon says is only where it should be.
 */
import {
  announce,
  blocked,
  bringUp,
  checkLinks,
  deleteAddress,
  endConnections,
  flushRouteCaches,
  forgetParked,
  forgetTickles,
  hostedAccordingToDaemon,
  interfaces,
  dropAll,
  isParkingPlace,
  isRight,
  move,
  mustBePrivileged,
  parkedHere,
  pick,
  prepareAnnouncement,
  publicAddresses,
  putRight,
  readPublicAddresses,
  refuse,
  refuseProblems,
  restoreDadTimers,
  take,
  tickleConnections,
  unblock,
  updateHosted,
  updateTickles,
  warnIfDifferent,
  watchParked,
  where,
  whereIs,
  withDadTimers,
  type Handler,
  type Link,
  type Node,
  type DadOutcome,
} from '../runner/handler.ts'

export default {
  about: 'public addresses: taken, announced, moved, released; links watched',
  when: 'always',

  /** A node that starts hosts nothing: what a crash has left behind is dropped, whatever it is on. */
  async init(node) {
    const listed = await publicAddresses(node)
    if (!listed) return node.say('No public addresses file found')
    mustBePrivileged(node)
    await restoreDadTimers(node, { whatever: true })
    const promote = '/proc/sys/net/ipv4/conf/all/promote_secondaries'
    if ((await node.read(promote)) === undefined)
      refuse('Public IPs only supported if promote_secondaries is available: the kernel has no such sysctl')
    await dropAll(
      node,
      listed.map(({ address }) => address),
    )
  },

  /** The daemon learns which links are up. What is wrong is said; it does not keep the node from starting. */
  async startup(node) {
    const listed = await publicAddresses(node)
    if (listed) await restoreDadTimers(node)
    for (const { error } of listed ? await checkLinks(node, listed) : []) if (error) node.say(error)
  },

  /** Every interface is looked at before there is a verdict: the daemon learns of each. */
  async monitor(node) {
    const listed = await publicAddresses(node)
    if (!listed) return
    await restoreDadTimers(node)
    if ((await parkedHere(node)).length > 0) await watchParked(node)
    const verdicts = await checkLinks(node, listed)
    const errors = verdicts.flatMap(({ error }) => error ?? [])
    const someAreUp = errors.length < verdicts.length
    const partially = node.settings.option('CTDB_PARTIALLY_ONLINE_INTERFACES')
    node.because(
      `${verdicts.length - errors.length} of ${verdicts.length} interfaces have a link, CTDB_PARTIALLY_ONLINE_INTERFACES is ${partially}`,
    )
    if (errors.length > 0 && !(someAreUp && partially === 'yes')) refuse(errors.join('\n'))
    for (const error of errors) node.say(error)
    await updateTickles(node)
  },

  /**
   * 1. The interface is there, and up.
   * 2. A firewall rule that a killed releaseip has left would keep the clients out: it goes.
   * 3. An address that is already here otherwise than wanted is put right; one that is as wanted is left alone.
   * 4. IPv6: wait for duplicate address detection, as EVENTSCRIPT_DAD has it. IPv4: another host was asked before, if
   *    EVENTSCRIPT_IPV4_DAD says so. A duplicate is given up, parked or seized, as EVENTSCRIPT_DAD_CONFLICT has it.
   * 5. Clients are told, in the background.
   */
  async takeip(node, wanted) {
    const { address } = wanted
    if (!(await readPublicAddresses(node))) return noFile(node)
    mustBePrivileged(node)
    await forgetParked(node, [address])
    const links = await interfaces(node)
    const link = await bringUp(node, pick(links, wanted.iface), wanted.iface, links)
    const places = links.flatMap((each) => each.addresses.filter((held) => held.address === address))
    const target = { ...wanted, iface: link.name }

    await prepareAnnouncement(node, address, link)
    await unblock(node, [address])
    const outcome = await withDadTimers(node, target, () => take(node, places, target, putRight))
    await flushRouteCaches(node)
    await updateHosted(node, (hosted) => hosted.add(address))
    await forgetTickles(node)
    await tellClients(node, address, link, outcome)
  },

  /**
   * 1. Find where the address really is, and with which prefix.
   * 2. Block what arrives for it, so that no client is reset by a node that is letting go.
   * 3. End its connections.
   * 4. Delete it.
   * 5. Unblock.
   */
  async releaseip(node, said) {
    const { address } = said
    if (!(await readPublicAddresses(node))) return noFile(node)
    mustBePrivileged(node)
    await forgetParked(node, [address])
    const places = await whereIs(node, address)
    if (places.length === 0) {
      node.say(
        `WARNING: Unable to determine interface for IP ${address}: held nowhere on this node, nothing to release`,
      )
      await unblock(node, [address])
    } else
      node.because(
        `${address} is on ${where(places)}, the daemon said ${where([said])}: releasing it from ${where(places)}`,
      )
    // that a parked address is not where the daemon has it is what parking is for
    const onWire = places.filter((held) => !isParkingPlace(held))
    warnIfDifferent(node, onWire, said, `releasing it from ${where(onWire)}`)
    for (const held of places)
      await blocked(node, held, async () => {
        await endConnections(node, address, held.iface)
        await deleteAddress(node, held)
      })
    await flushRouteCaches(node)
    await updateHosted(node, (hosted) => hosted.delete(address))
    await forgetTickles(node)
  },

  /**
   * 1. Find where the address really is.
   * 2. Already on the new interface: nothing to move. The clients are told all the same (9): an updateip that was killed
   *    behind the move has not told them.
   * 3. Bring the new interface up. If that fails, the address is still where it was.
   * 4. Block what arrives for it at the old place, and delete it there.
   * 5. Add it to the new interface, with the mask that was passed. If that fails, it is put back.
   * 6. Unblock, also what a killed releaseip has left on the new interface.
   * 7. IPv6: wait for duplicate address detection, as EVENTSCRIPT_DAD and EVENTSCRIPT_DAD_CONFLICT have it.
   * 8. Flush route caches.
   * 9. Tell the clients: announce the address, and wake its connections.
   */
  async updateip(node, { from, to, address, bits }) {
    if (!(await readPublicAddresses(node))) return noFile(node)
    mustBePrivileged(node)
    await forgetParked(node, [address])
    const links = await interfaces(node)
    const all = links.flatMap((each) => each.addresses.filter((held) => held.address === address))
    const places = all.filter((held) => !isParkingPlace(held))
    if (all.length === 0)
      node.say(`WARNING: Unable to determine interface for IP ${address}: held nowhere on this node`)

    const link = await bringUp(node, pick(links, to), to, links)
    const target = { address, bits, iface: link.name }
    // one that is still being checked for duplicates is not there yet: nobody has waited for it, nor announced it
    const isThere =
      places.length > 0 && places.every((held) => isRight(held, target) && held.state === 'ready')
    // a killed updateip may have left its rule, at the old place or the new one
    if (isThere || places.length === 0) await unblock(node, [address])
    if (isThere) {
      node.say(`Redundant "updateip" - ${address} already on ${to}`)
      return await tellOfMove(node, address, link, 'ready')
    }

    node.because(
      `${address} is on ${where(places) || 'no interface'}, the daemon said ${from}: it goes to ${where([target])}`,
    )
    warnIfDifferent(node, places, { address, bits, iface: from }, `moving it from ${where(places)}`)
    await prepareAnnouncement(node, address, link)
    const outcome = await withDadTimers(node, target, () => take(node, all, target, move))
    await flushRouteCaches(node)
    await updateHosted(node, (hosted) => hosted.add(address))
    await forgetTickles(node)
    await tellOfMove(node, address, link, outcome)
  },

  /** The daemon has decided who hosts what: our list of what this node hosts is written afresh. */
  async ipreallocated(node) {
    if (!(await readPublicAddresses(node))) return
    const hosts = await hostedAccordingToDaemon(node)
    if (typeof hosts === 'string')
      return node.say(`WARNING: the list of addresses hosted here is not renewed: ${hosts}`)
    await updateHosted(node, (hosted) => {
      hosted.clear()
      for (const address of hosts) hosted.add(address)
    })
  },

  /**
   * A node that stops lets go of everything. A line of public_addresses that cannot be read is reported, but does
   * not keep the other addresses here: an address left on a node without a daemon takes the cluster down.
   */
  async shutdown(node) {
    const found = await readPublicAddresses(node)
    if (!found) return
    mustBePrivileged(node)
    await restoreDadTimers(node)
    await dropAll(node, [...found.entries.map(({ address }) => address), ...found.doubtful])
    refuseProblems(found)
  },
} satisfies Handler

/** Of an address that is off the wire nobody is told: it is tried again. */
async function tellClients(node: Node, address: string, link: Link, outcome: DadOutcome): Promise<void> {
  if (outcome === 'parked') return await watchParked(node)
  await announce(node, address, link, { seized: outcome === 'seized' })
}

/** Clients that hold a connection keep sending to the old place until they hear of the new one: they are woken too. */
async function tellOfMove(node: Node, address: string, link: Link, outcome: DadOutcome): Promise<void> {
  await tellClients(node, address, link, outcome)
  if (outcome !== 'parked') await tickleConnections(node, address)
}

/** As CTDB has it: without the file this node has no public addresses, and nothing to do with them. */
function noFile(node: Node): void {
  node.say(`No public addresses file found (${node.settings.base}/public_addresses): nothing is done`)
}
