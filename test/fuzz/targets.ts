import type { FuzzTarget } from './target.ts'

interface Entry {
  /** Its share of the inputs, in thousandths; what is slow to read gets fewer. */
  readonly share: number
  readonly load: () => Promise<FuzzTarget>
}

/** Every parser that meets bytes from outside. */
export const targets: Readonly<Record<string, Entry>> = {
  hdf5: { share: 15, load: async () => (await import('./targets/hdf5.ts')).hdf5 },
  uvh5: { share: 3, load: async () => (await import('./targets/uvh5.ts')).uvh5 },
  'measurement-set': { share: 40, load: async () => (await import('./targets/measurement-set.ts')).measurementSet },
  config: { share: 15, load: async () => (await import('./targets/config.ts')).config },
  context: { share: 90, load: async () => (await import('./targets/context.ts')).context },
  result: { share: 80, load: async () => (await import('./targets/products.ts')).result },
  'key-file': { share: 80, load: async () => (await import('./targets/products.ts')).keyFile },
  'event-log': { share: 15, load: async () => (await import('./targets/event-log.ts')).eventLog },
  'fits-image': { share: 160, load: async () => (await import('./targets/fits.ts')).fitsImage },
  'fits-table': { share: 120, load: async () => (await import('./targets/fits.ts')).fitsTable },
  solutions: { share: 120, load: async () => (await import('./targets/solutions.ts')).solutions },
  'catalogue-file': { share: 50, load: async () => (await import('./targets/catalogue.ts')).catalogueFile },
  'catalogue-strips': { share: 60, load: async () => (await import('./targets/catalogue.ts')).catalogueStrips },
  'station-table': { share: 72, load: async () => (await import('./targets/tables.ts')).stationTable },
  'earth-orientation': { share: 30, load: async () => (await import('./targets/tables.ts')).earthOrientation },
  'source-list': { share: 20, load: async () => (await import('./targets/tables.ts')).sourceList },
  quarantine: { share: 20, load: async () => (await import('./targets/quarantine.ts')).quarantine },
  'run-folder': { share: 5, load: async () => (await import('./targets/run-folder.ts')).runFolder },
  'scan-cache': { share: 5, load: async () => (await import('./targets/scan-cache.ts')).scanCache },
}
