/** Memorable run names, in the words of the field. */
const adjectives = [
  'amber', 'bold', 'brave', 'bright', 'calm', 'clear', 'coherent', 'cold', 'compact', 'crisp', 'curious', 'deep', 'diffuse',
  'distant', 'dusty', 'eager', 'early', 'faint', 'fast', 'gentle', 'giant', 'golden', 'hidden', 'humble', 'keen', 'lucid',
  'lunar', 'mellow', 'misty', 'narrow', 'noble', 'nimble', 'patient', 'phased', 'polar', 'quick', 'quiet', 'radiant', 'rapid',
  'restless', 'serene', 'sharp', 'silent', 'slow', 'solar', 'steady', 'swift', 'tidal', 'vivid', 'wide',
]
const nouns = [
  'afterglow', 'airy', 'antenna', 'array', 'aurora', 'bandpass', 'baseline', 'beam', 'blazar', 'bridge', 'burst', 'calibrator',
  'cluster', 'comet', 'corona', 'crab', 'cygnus', 'dish', 'dipole', 'drift', 'dynamo', 'fringe', 'galaxy', 'halo', 'horizon',
  'jansky', 'jet', 'lobe', 'magnetar', 'maser', 'meridian', 'nebula', 'parsec', 'photon', 'plasma', 'pulsar', 'quasar',
  'receiver', 'redshift', 'relic', 'remnant', 'reber', 'ryle', 'sidereal', 'signal', 'stokes', 'synthesis', 'tile', 'transit',
  'zenith',
]

/** What a run may be called: it becomes a folder name. */
export const runNamePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/i

/**
 * A name that is not taken, such as `brave-quasar`. `random` gives numbers in [0, 1); when many names are taken a number
 * is added.
 */
export function runName(random: () => number, isTaken: (name: string) => boolean): string {
  for (let tries = 0; ; tries++) {
    const name = `${pick(adjectives, random)}-${pick(nouns, random)}${tries < 20 ? '' : `-${Math.floor(random() * 10 ** Math.min(9, tries / 10))}`}`
    if (!isTaken(name)) return name
  }
}

function pick(words: readonly string[], random: () => number): string {
  return words[Math.floor(random() * words.length)] as string
}
