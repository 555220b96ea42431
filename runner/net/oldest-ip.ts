/**
 * The oldest `ip` that serves all handlers. iproute2 4.14 prints rules and routes as text where JSON is asked for, 4.20 as
 * broken JSON.
 */
export const OLDEST_IP = {
  version: [5, 0],
  /** `ip -V` of 5.0 to 5.7 prints the date of the release. */
  date: 190_319,
  text: 'iproute2 5.0',
} as const
