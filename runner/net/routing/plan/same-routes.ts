/** Whether the kernel's routes are those of the file. Pure. */
import { canonical, familyOf, type Family } from '../../../inet/address.ts'
import { LOCKABLE, valueOf } from '../wanted/route-words.ts'
import type { Route } from '../wanted/routes-file.ts'
import type { KernelRoute } from '../kernel/shown-routes.ts'

/** Are these all the routes there, each as it should be? */
export function routesMatch(wanted: readonly Route[], there: readonly KernelRoute[], iface: string): boolean {
  const isThere = (route: Route) =>
    there.some(
      (each) =>
        each.plain &&
        each.destination === route.destination &&
        each.gateway === route.gateway &&
        each.iface === iface &&
        wordsMatch(route, each),
    )
  return wanted.length === there.length && wanted.every(isThere)
}

/**
 * Compares the words after a gateway that the kernel shows again as numbers and addresses. The others (`proto`, `scope`,
 * `onlink`, `lock`) come back by other names, or not at all: changes of these take effect when all routes are added afresh.
 */
function wordsMatch(route: Route, there: KernelRoute): boolean {
  const usual = usualMetric(familyOf(route.destination))
  const src = valueOf(route, 'src')
  return (
    // 0 means the default
    (Number(valueOf(route, 'metric')) || usual) === (there.metric ?? usual) &&
    (src === undefined ? undefined : canonical(src)) === there.src &&
    LOCKABLE.every((word) => {
      const said = Math.min(Number(valueOf(route, word) ?? 0), MOST[word] ?? Infinity)
      return there.metrics === undefined || said === (there.metrics[word] ?? 0)
    })
  )
}

/** The kernel lowers larger values to these (net/ipv4/metrics.c). */
const MOST: Record<string, number> = { mtu: 65_535 - 15, advmss: 65_535 - 40 }

/** The metric of a route that is added without one (ip-route(8)). */
export function usualMetric(family: Family): number {
  return family === 'inet6' ? 1024 : 0
}
