/**
 * How much of the suite is run. The same seed gives the same events and the same plan of faults; which program has which number
 * varies a little where programs run side by side.
 */
const number = (name: string, usual: number): number => Number(process.env[name] ?? usual)

/** Some 4,000 events and 4,000 faults; the short form is for each commit. */
const IS_LONG = process.env['FAULTS'] === 'long'

export const SEED = number('FAULTS_SEED', 20_261_127)
/** Rounds of each setting. */
export const ROUNDS = number('FAULTS_ROUNDS', IS_LONG ? 36 : 2)
/** Disturbed events, or groups of them, in a round. */
export const EVENTS = number('FAULTS_EVENTS', 12)
/** The only round that is run, to repeat a failure. */
export const ONLY = process.env['FAULTS_ONLY']
/** The name of the setting that is run, or a word of the names of several. */
export const SETTING = process.env['FAULTS_SETTING'] ?? ''
/** For all of it. */
export const SECONDS = IS_LONG ? 7200 : 800
