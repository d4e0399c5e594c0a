/** One value of the configuration by its dotted path. */
export interface Setting {
  key: string
  value: unknown
  /** Whether it differs from what it would be had nobody said anything. */
  changed: boolean
  default: unknown
}

/** Every value of a configuration, with the default beside it. */
export function settingsOf({ run, defaults }: { run: unknown; defaults: unknown }): Setting[] {
  const standard = new Map(leaves(defaults, ''))
  return leaves(run, '').map(([key, value]) => {
    const other = standard.get(key) ?? null
    return { key, value, changed: JSON.stringify(value) !== JSON.stringify(other), default: other }
  })
}

/** Lists are values, and so are empty blocks inside of nothing: only named members are walked into. */
function leaves(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]]
  return Object.entries(value).flatMap(([name, member]) => leaves(member, path === '' ? name : `${path}.${name}`))
}
