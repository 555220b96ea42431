/**
 * The public addresses of this node: taken, watched, moved and released. The kernel is asked where an address
 * really is; the daemon says only where it should be.
 */
import {
  announce,
  blocked,
  bringUp,
  checkLinks,
  deleteAddress,
  dropAll,
  endConnections,
  flushRouteCaches,
  forgetParked,
  forgetParkedIfPossible,
  forgetTickles,
  goodPublicAddresses,
  hasPublicAddresses,
  hasToTry,
  hostedAccordingToDaemon,
  interfaces,
  isParkingPlace,
  isRight,
  keepForEver,
  move,
  mustCarry,
  mustBePrivileged,
  mustPromote,
  pick,
  placesIn,
  prepareAnnouncement,
  putRight,
  readPublicAddresses,
  refuse,
  refuseProblems,
  releasableAddresses,
  restoreDadTimers,
  take,
  tickleConnections,
  unblock,
  unblockAgain,
  updateHosted,
  updateTickles,
  warnIfDifferent,
  watch,
  watchParked,
  where,
  whereIs,
  withDadTimers,
  type DadOutcome,
  type Handler,
  type Held,
  type Link,
  type Node,
  type Placement,
} from '../runner/handler.ts'

export default {
  about: 'public addresses: taken, announced, moved, released; links watched',
  when: 'always',

  /**
   * A node that starts hosts nothing: addresses that a crash has left are dropped from every interface. A bad line ends the
   * daemon, after the others are dropped.
   */
  async init(node) {
    const found = await readPublicAddresses(node)
    if (!found) return node.say('No public addresses file found')
    mustBePrivileged(node)
    await restoreDadTimers(node, { whatever: true })
    await mustPromote(node)
    await dropAll(node, [...found.entries.map(({ address }) => address), ...found.doubtful])
    refuseProblems(found)
  },

  /** The daemon learns which links are up. A link that is down is reported; the node starts all the same. */
  async startup(node) {
    const listed = await goodPublicAddresses(node)
    if (listed) await restoreDadTimers(node)
    for (const { error } of listed ? await checkLinks(node, listed) : []) if (error) node.say(error)
  },

  /**
   * Every interface is looked at before there is a verdict: the daemon learns of each. A bad line, which the daemon has not
   * loaded, makes no node unhealthy.
   */
  async monitor(node) {
    const listed = await goodPublicAddresses(node)
    if (!listed) return
    await restoreDadTimers(node)
    if (await hasToTry(node)) await watchParked(node)
    const checks = await checkLinks(node, listed)
    await unblockAgain(node)
    const errors = checks.flatMap(({ error }) => error ?? [])
    const partially = node.settings.option('CTDB_PARTIALLY_ONLINE_INTERFACES')
    node.because(
      `${checks.length - errors.length} of ${checks.length} interfaces have a link, CTDB_PARTIALLY_ONLINE_INTERFACES is ${partially}`,
    )
    const isOnline = partially === 'yes' && errors.length < checks.length
    if (errors.length > 0 && !isOnline) refuse(errors.join('\n'))
    for (const error of errors) node.say(error)
    await updateTickles(node)
  },

  /**
   * 1. Find the interface, and bring it up.
   * 2. Put the address where it is wanted; one that is there as wanted is left alone, but no longer for a limited time. IPv6: wait for duplicate address
   *    detection, as EVENTSCRIPT_DAD has it. IPv4: other hosts were asked before, if EVENTSCRIPT_IPV4_DAD says so. A
   *    duplicate is given up, parked or seized, as EVENTSCRIPT_DAD_CONFLICT has it.
   * 3. Note that this node hosts the address.
   * 4. Tell the clients, in the background.
   * 5. Remove a firewall rule that a killed releaseip has left: it would keep the clients out. Last, as a firewall may hang.
   */
  async takeip(node, wanted) {
    const { address } = wanted
    if (!(await mayAct(node))) return
    const isDoubtful = await forgetParked(node, [address])
    const links = await interfaces(node)
    const link = await bringUp(node, pick(links, wanted.iface), wanted.iface, links)
    mustCarry(link, address)
    const target = { ...wanted, iface: link.name }
    await prepareAnnouncement(node, address, link)
    const places = placesIn(links, address)
    const outcome = await withDadTimers(node, target, () =>
      take(node, { link, places, target, isDoubtful }, putRight),
    )
    await noteHosted(node, (hosted) => hosted.add(address))
    await tellClients(node, address, link, outcome)
    await unblock(node, [address])
  },

  /**
   * 1. Find where the address really is, and with which prefix.
   * 2. Block packets that arrive for it, so that a node that is letting go resets no client. A firewall that does not let us
   *    within 5 s is a WARNING: the address goes unblocked.
   * 3. End its connections.
   * 4. Delete it.
   * 5. Unblock.
   * 6. Note that this node no longer hosts it.
   */
  async releaseip(node, said) {
    const { address } = said
    if (!(await mayAct(node))) return
    await forgetParkedIfPossible(node, [address])
    for (const held of await placesToLeave(node, said))
      await blocked(node, held, async () => {
        await endConnections(node, address, held.iface)
        await deleteAddress(node, held)
      })
    await noteHosted(node, (hosted) => hosted.delete(address))
  },

  /**
   * 1. Find where the address really is. One that is on the new interface already needs no move, and that interface is left
   *    as it is. Its clients are told all the same (5): an updateip that was killed after the move has not told them.
   * 2. Bring the new interface up. If that fails, the address is still where it was.
   * 3. Block packets that arrive for it at the old place, delete it there, and add it to the new interface, with the mask
   *    that was passed. If that fails, it is put back. Unblock, also what a killed releaseip has left. IPv6: wait for
   *    duplicate address detection, as EVENTSCRIPT_DAD and EVENTSCRIPT_DAD_CONFLICT have it.
   * 4. Note that this node hosts the address.
   * 5. Tell the clients: announce the address, and wake its connections. Before they are woken, unblock an address that was
   *    on the new interface already, or nowhere: a killed updateip may have left its rule.
   */
  async updateip(node, { from, to, address, bits }) {
    if (!(await mayAct(node))) return
    const isDoubtful = await forgetParked(node, [address])
    const links = await interfaces(node)
    const places = placesIn(links, address)
    const onWire = places.filter((held) => !isParkingPlace(held))
    if (places.length === 0)
      node.say(`WARNING: Unable to determine interface for IP ${address}: held nowhere on this node`)
    const there = pick(links, to)
    if (there && isAt(onWire, { address, bits, iface: there.name })) {
      warnIfDifferent(node, onWire, { address, bits, iface: from }, 'it stays there')
      node.say(`Redundant "updateip" - ${address} already on ${to}`)
      await keepForEver(node, onWire)
      if (isDoubtful) await watch(node, { address, bits, iface: there.name })
      if (!there.up)
        return node.because(`${there.name} is down, and left so: nobody would hear of ${address}`)
      return await tellOfMove(node, address, there, { outcome: 'ready', wasBlocked: false })
    }
    const link = await bringUp(node, there, to, links)
    mustCarry(link, address)
    const target = { address, bits, iface: link.name }
    const here = where(onWire) || 'no interface'
    node.because(`${address} is on ${here}, the daemon said ${from}: it goes to ${where([target])}`)
    warnIfDifferent(node, onWire, { address, bits, iface: from }, `moving it from ${here}`)
    await prepareAnnouncement(node, address, link)
    const outcome = await withDadTimers(node, target, () =>
      take(node, { link, places, target, isDoubtful }, move),
    )
    await noteHosted(node, (hosted) => hosted.add(address))
    await tellOfMove(node, address, link, { outcome, wasBlocked: onWire.length > 0 })
  },

  /** The daemon has decided which node hosts which address: the list of this node's is written afresh. */
  async ipreallocated(node) {
    if (!(await hasPublicAddresses(node))) return
    const hosts = await hostedAccordingToDaemon(node)
    if (typeof hosts === 'string')
      return node.say(`WARNING: the list of addresses hosted here is not renewed: ${hosts}`)
    await updateHosted(node, (hosted) => {
      hosted.clear()
      for (const address of hosts) hosted.add(address)
    })
  },

  /**
   * A node that stops lets go of every address. A line of public_addresses that cannot be read is reported, and does
   * not keep the other addresses here: an address left on a node without a daemon takes the cluster down.
   */
  async shutdown(node) {
    const found = await releasableAddresses(node)
    if (!found) return
    mustBePrivileged(node)
    await restoreDadTimers(node)
    await dropAll(node, [...found.addresses])
    refuseProblems(found)
  },
} satisfies Handler

/** As CTDB has it: a node without the file has no public addresses, and nothing to do with them. The daemon knows the list. */
async function mayAct(node: Node): Promise<boolean> {
  if (await hasPublicAddresses(node)) {
    mustBePrivileged(node)
    return true
  }
  node.say(`No public addresses file found (${node.settings.base}/public_addresses): nothing is done`)
  return false
}

/** Every place that the address is to be released from; the daemon may have said another. */
async function placesToLeave(node: Node, said: Placement): Promise<Held[]> {
  const { address } = said
  const places = await whereIs(node, address)
  if (places.length === 0) {
    node.say(
      `WARNING: Unable to determine interface for IP ${address}: held nowhere on this node, nothing to release`,
    )
    await unblock(node, [address])
    return []
  }
  const here = where(places)
  node.because(`${address} is on ${here}, the daemon said ${where([said])}: releasing it from ${here}`)
  // parking means that the address is not where the daemon has it
  const onWire = places.filter((held) => !isParkingPlace(held))
  warnIfDifferent(node, onWire, said, `releasing it from ${where(onWire)}`)
  return places
}

/** Is it there, and nowhere else? One that is still being checked for duplicates is not yet: nobody has waited for it. */
function isAt(places: readonly Held[], target: Placement): boolean {
  return places.length > 0 && places.every((held) => isRight(held, target) && held.state === 'ready')
}

/** An address has come or gone: routes and reports that depend on it are out of date. */
async function noteHosted(node: Node, change: (hosted: Set<string>) => void): Promise<void> {
  await flushRouteCaches(node)
  await updateHosted(node, change)
  await forgetTickles(node)
}

/** An address that is off the wire is announced to nobody: it is tried again. */
async function tellClients(node: Node, address: string, link: Link, outcome: DadOutcome): Promise<void> {
  if (outcome === 'parked') return await watchParked(node)
  await announce(node, address, link, { seized: outcome === 'seized' })
}

/**
 * Clients that hold a connection keep sending to the old place until they hear of the new one: they are woken too. An address
 * that was blocked for its move has been unblocked.
 */
async function tellOfMove(
  node: Node,
  address: string,
  link: Link,
  { outcome, wasBlocked }: { outcome: DadOutcome; wasBlocked: boolean },
): Promise<void> {
  await tellClients(node, address, link, outcome)
  if (!wasBlocked) await unblock(node, [address])
  if (outcome !== 'parked') await tickleConnections(node, address)
}
