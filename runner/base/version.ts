/** The major and minor version of a program. */
export type Version = readonly [major: number, minor: number]

export function isOlder([major, minor]: Version, [wantedMajor, wantedMinor]: Version): boolean {
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor)
}
