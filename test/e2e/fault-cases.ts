/**
 * Every row of the table of faults that raw data can have, in each of its forms, and what contimg must answer. The tests
 * hold contimg to it, and `docs/faults.md` is made of it.
 */
export interface FaultCase {
  row: string
  /** What is wrong, in words. */
  form: string
  /** As for `contimg simulate --fault`. */
  faults: readonly string[]
  /** Other parameters of the simulation, over those of a small observation. */
  set?: Readonly<Record<string, unknown>>
  answer: Answer
  /** Subbands that the converted set lacks. */
  absent?: readonly number[]
  /** Checks of the conversion that are not good. */
  checks?: Readonly<Record<string, 'uncertain' | 'bad'>>
  /** Of an observation that is not converted, and of files set aside. */
  code?: string
  /** In a message of the run, of the observation or of a check. */
  says?: RegExp
  exit: 0 | 1 | 3
  /** All samples of the set are those that the files without the fault give. */
  asSound?: true
  /** Files change while contimg looks: with this `ingest.waitSeconds` through the command line. */
  waitSeconds?: number
  /** What else is to be said of it. */
  remark?: string
}

/**
 * `gap`: converted, what is absent is flagged and recorded. `set aside`: so too, and the files at fault are quarantined.
 * `parked`: skipped until files arrive. `failed`: too many files are quarantined, or all. `refused`: the step ends with an
 * error, and nothing is quarantined.
 */
export type Answer = 'converted' | 'gap' | 'set aside' | 'parked' | 'failed' | 'refused'

/** What the observations of the table are, but for `set`: small, and four of six subbands are enough. */
export const smallObservation = {
  antennas: 8,
  channels: 4,
  integrations: 3,
  subbands: [0, 1, 2, 3, 4, 5],
  sources: 2,
  calibrator: null,
  catalogue: false,
}
export const MIN_SUBBANDS = 4

const allRowDatasets = 'visdata+flags+nsamples+uvw_array+time_array+integration_time+ant_1_array+ant_2_array'

const layoutForms = {
  'rank-3': 'no axis of spectral windows',
  'version-1': 'keys of version 1.1 of the memo',
  'flags-uint8': 'flags as unsigned bytes',
  ascending: 'frequencies ascend',
  'negative-width': 'a negative channel_width',
  contiguous: 'nothing in chunks',
  chunks: 'chunks of another shape',
}

export const faultCases: readonly FaultCase[] = [
  ...inRow('missing or late subband', [
    { form: 'one file was not written', faults: ['missing:subbands=3'], answer: 'gap', absent: [3], exit: 0 },
    {
      form: 'both edges of the band are absent',
      faults: ['missing:subbands=0+5'],
      answer: 'gap',
      absent: [0, 5],
      checks: { subbands: 'uncertain' },
      exit: 0,
    },
    {
      form: 'more are absent than may be',
      faults: ['missing:subbands=1-3'],
      answer: 'parked',
      code: 'SUBBANDS_MISSING',
      says: /3 of 6 subbands are missing \(01, 02, 03\); ingest\.minSubbands asks for at least 4/,
      exit: 1,
      remark: 'the same command takes it up when the files are there',
    },
    {
      form: 'a file comes while the run waits for it',
      faults: ['late:seconds=601'],
      answer: 'converted',
      waitSeconds: 600,
      says: /waits until .* UTC at the latest: subband 05 absent/,
      exit: 0,
    },
    {
      form: 'a file comes after the run has waited long enough',
      faults: ['late:seconds=601'],
      answer: 'gap',
      absent: [5],
      waitSeconds: 1,
      says: /found 1 observation in 5 files/,
      exit: 0,
      remark: 'the same command then converts again, with the file; the first product stays',
    },
  ]),
  ...inRow('`_incomplete`, truncated, still growing', [
    { form: 'a file is never renamed', faults: ['incomplete'], answer: 'gap', absent: [5], exit: 0 },
    {
      form: 'a file was left behind hours ago',
      faults: ['incomplete:hours=2'],
      answer: 'gap',
      absent: [5],
      says: /not closed by its writer for more than an hour/,
      exit: 0,
    },
    {
      form: 'a file is renamed while the run waits',
      faults: ['incomplete:seconds=601'],
      answer: 'converted',
      waitSeconds: 600,
      says: /subband 05 absent/,
      exit: 0,
    },
    {
      form: 'cut in the middle',
      faults: ['truncated:subbands=2'],
      answer: 'set aside',
      absent: [2],
      code: 'DATA_UNREADABLE',
      says: /is truncated: it has \d+ bytes, its superblock says \d+/,
      exit: 0,
    },
    {
      form: 'cut at a byte, inside the header',
      faults: ['truncated:subbands=2,at=5000'],
      answer: 'set aside',
      absent: [2],
      code: 'DATA_UNREADABLE',
      exit: 0,
    },
    {
      form: 'cut inside the last chunk',
      faults: ['truncated:subbands=2,at=-100'],
      answer: 'set aside',
      absent: [2],
      code: 'DATA_UNREADABLE',
      exit: 0,
    },
    {
      form: 'cut to nothing',
      faults: ['truncated:subbands=2,at=0'],
      answer: 'set aside',
      absent: [2],
      code: 'DATA_UNREADABLE',
      says: /it is empty|not an HDF5 file/,
      exit: 0,
    },
    {
      form: 'more are cut than may be absent',
      faults: ['truncated:subbands=0-2'],
      answer: 'failed',
      code: 'DATA_UNREADABLE',
      says: /3 of 6 subbands are left, at least 4 are needed/,
      exit: 1,
    },
    {
      form: 'the index of the data is damaged, the header is not',
      faults: ['damaged-index:subbands=2'],
      answer: 'set aside',
      absent: [2],
      code: 'DATA_UNREADABLE',
      exit: 0,
      remark: 'in a file of the real size conversion finds it: that step fails, and the next run does without the file',
    },
    {
      form: 'a file grows while the run looks',
      faults: ['growing:seconds=601'],
      answer: 'gap',
      absent: [5],
      waitSeconds: 0,
      says: /is not used: it is still being written/,
      exit: 0,
    },
    {
      form: 'a file grows while the run waits',
      faults: ['growing:seconds=601'],
      answer: 'converted',
      waitSeconds: 600,
      says: /subband 05 absent/,
      exit: 0,
    },
  ]),
  ...inRow('short stream', [
    {
      form: 'the last integration is absent in all files',
      faults: ['short'],
      answer: 'converted',
      checks: { integrations: 'uncertain' },
      says: /2 integrations, 3 expected/,
      exit: 0,
    },
    {
      form: 'in one file',
      faults: ['short:subbands=4'],
      answer: 'set aside',
      absent: [4],
      code: 'DATA_IMPLAUSIBLE',
      says: /time_array.* of its header differ/,
      exit: 0,
    },
  ]),
  ...inRow('wrong time', [
    {
      form: 'no time service: MJD 55000 in all files',
      faults: ['clock:mjd=55000'],
      answer: 'failed',
      code: 'DATA_IMPLAUSIBLE',
      says: /time_array starts at MJD 55000\.\d+, before 2022-01-01/,
      exit: 1,
    },
    {
      form: 'the twelfth file after that',
      faults: ['clock:files=12'],
      answer: 'failed',
      code: 'DATA_IMPLAUSIBLE',
      says: /time_array starts at MJD 55000\.04/,
      exit: 1,
    },
    {
      form: 'on one node',
      faults: ['clock:subbands=1'],
      answer: 'set aside',
      absent: [1],
      code: 'DATA_IMPLAUSIBLE',
      exit: 0,
    },
    {
      form: 'test mode: MJD 59000.5',
      faults: ['clock:mjd=59000.5'],
      answer: 'failed',
      code: 'DATA_IMPLAUSIBLE',
      says: /MJD 59000\.5\d*, before 2022/,
      exit: 1,
    },
    {
      form: 'one node two integrations late',
      faults: ['shifted:subbands=2,integrations=2'],
      answer: 'gap',
      absent: [2],
      says: /2 whole integrations after, as when a node drops buffers/,
      exit: 1,
      remark: 'the late file is an observation of its own, which is parked',
    },
    { form: 'a stamp in a name 82 s late', faults: ['stamp:subbands=2'], answer: 'converted', exit: 0 },
    {
      form: 'a stamp in a name two hours late',
      faults: ['stamp:subbands=2,seconds=7200'],
      answer: 'set aside',
      absent: [2],
      code: 'DATA_IMPLAUSIBLE',
      says: /more than 600 s from the stamp in the file name/,
      exit: 1,
      remark: 'the file counts with the time of its name, an observation that fails',
    },
  ]),
  ...inRow('NaN, zeros, dead antenna', [
    {
      form: 'one integration of three is NaN',
      faults: ['samples:value=nan,integrations=1'],
      answer: 'converted',
      checks: { 'zero-data': 'uncertain' },
      says: /33\.33 % of the samples are zero or not finite/,
      exit: 0,
    },
    {
      form: 'channels of one subband are zero',
      faults: ['samples:value=zero,subbands=2,channels=0-1'],
      answer: 'converted',
      exit: 0,
    },
    {
      form: 'an antenna is NaN',
      faults: ['samples:value=nan,antennas=101'],
      answer: 'converted',
      says: /1 of 8 antennas have no data: 101/,
      exit: 0,
      remark: 'flagged whole and listed as dead',
    },
    {
      form: 'an antenna is zero',
      faults: [],
      set: { deadAntennas: [101] },
      answer: 'converted',
      says: /1 of 8 antennas have no data: 101/,
      exit: 0,
    },
    {
      form: 'one polarisation is infinite',
      faults: ['samples:value=inf,polarizations=0'],
      answer: 'converted',
      checks: { 'zero-data': 'uncertain' },
      exit: 0,
    },
    {
      form: 'everything is zero',
      faults: ['samples:value=zero'],
      answer: 'refused',
      code: 'DATA_UNUSABLE',
      says: /every sample of the observation is zero, not finite or flagged/,
      exit: 1,
    },
    {
      form: 'two integrations of three are zero',
      faults: ['samples:value=zero,integrations=0-1'],
      answer: 'converted',
      checks: { 'zero-data': 'bad' },
      exit: 3,
      remark: 'the check blocks: nothing else is made of it',
    },
    {
      form: 'an antenna has noise without signal',
      faults: ['samples:value=noise,antennas=101'],
      answer: 'converted',
      exit: 0,
      remark: 'nothing in the data tells before calibration, which flags the antenna',
    },
  ]),
  ...inRow('interference', [
    { form: 'narrow, in given channels', faults: ['rfi:channels=1'], answer: 'converted', exit: 0 },
    { form: 'broad, in one integration', faults: ['rfi:integrations=1'], answer: 'converted', exit: 0 },
    {
      form: 'strong, on short baselines',
      faults: ['rfi:metres=200,jy=10000'],
      answer: 'converted',
      exit: 0,
      remark: 'conversion keeps what was recorded; calibration flags',
    },
  ]),
  ...inRow('reversed pairs', [
    {
      form: 'all pairs with antennas 101 and 115',
      faults: ['reversed:antennas=101+115'],
      answer: 'converted',
      exit: 0,
      asSound: true,
    },
    { form: 'all pairs', faults: ['reversed'], answer: 'converted', exit: 0, asSound: true },
    {
      form: 'all pairs, four polarisations',
      faults: ['reversed'],
      set: { polarizations: 4 },
      answer: 'converted',
      exit: 0,
      asSound: true,
    },
  ]),
  ...inRow('duplicate', [
    {
      form: 'an identical copy under another stamp',
      faults: ['duplicate:subbands=1'],
      answer: 'converted',
      says: /an identical copy of .*, not used/,
      exit: 0,
      asSound: true,
    },
    {
      form: 'another content of the same time and subband',
      faults: ['duplicate:subbands=1,content=different'],
      answer: 'set aside',
      absent: [1],
      code: 'DATA_IMPLAUSIBLE',
      says: /2 files of different content claim the time and subband 1/,
      exit: 0,
      remark: 'both, for nobody can tell which is right; when one is removed the other counts',
    },
  ]),
  ...inRow('compression', [
    ...(['gzip', 'lzf', 'bitshuffle'] as const).map((filter): Omit<FaultCase, 'row'> => ({
      form: `${filter} on all datasets with rows`,
      faults: [`compressed:filter=${filter},datasets=${allRowDatasets}`],
      answer: 'converted',
      exit: 0,
      asSound: true,
    })),
    {
      form: 'a filter that is not known, in one file',
      faults: ['compressed:subbands=3,filter=unknown,datasets=flags'],
      answer: 'set aside',
      absent: [3],
      code: 'DATA_UNSUPPORTED',
      says: /compressed with filter 32990/,
      exit: 0,
    },
    {
      form: 'a filter that is not known, in all files',
      faults: ['compressed:filter=unknown'],
      answer: 'failed',
      code: 'DATA_UNSUPPORTED',
      exit: 1,
    },
  ]),
  ...inRow('kinds of strings', [
    { form: 'all of variable length', faults: ['strings:kind=variable'], answer: 'converted', exit: 0, asSound: true },
    { form: 'all of fixed length', faults: ['strings:kind=fixed'], answer: 'converted', exit: 0, asSound: true },
    {
      form: 'a history that is not ASCII',
      faults: ['strings:kind=non-ascii'],
      answer: 'converted',
      exit: 0,
      asSound: true,
    },
  ]),
  ...inRow(
    'layout',
    (['rank-3', 'version-1', 'flags-uint8', 'ascending', 'negative-width', 'contiguous', 'chunks'] as const).map(
      (variant) => ({
        form: layoutForms[variant],
        faults: [`layout:variant=${variant}`],
        answer: 'converted',
        exit: 0,
        asSound: true,
      }),
    ),
  ),
  ...inRow('wrong header', [
    {
      form: 'the dishes point a degree from where the header says',
      faults: ['stale-declination'],
      answer: 'converted',
      exit: 0,
      remark: 'the file cannot tell: only flux densities are wrong, which validation compares with its catalogue',
    },
    {
      form: 'fringe-stopping was off',
      faults: ['no-fringe-stop'],
      answer: 'converted',
      exit: 0,
      remark: 'the file cannot tell: to calibration it is a delay of each antenna',
    },
    {
      form: 'the declination of the header is off by 20 arcsec',
      faults: ['declination:arcsec=20'],
      answer: 'converted',
      checks: { 'w-fit': 'uncertain' },
      says: /a direction 20\.0 arcsec from the header's; the fitted direction was used/,
      exit: 0,
    },
    {
      form: 'by 2 arcmin',
      faults: ['declination'],
      answer: 'converted',
      checks: { 'w-fit': 'bad' },
      exit: 3,
      remark: 'the check blocks',
    },
    {
      form: 'by 2 arcmin in one file',
      faults: ['declination:subbands=3'],
      answer: 'set aside',
      absent: [3],
      code: 'DATA_IMPLAUSIBLE',
      says: /phase_center_app_dec of its header differ/,
      exit: 0,
    },
    {
      form: 'the name tells another subband',
      faults: ['label:subbands=3,says=15'],
      answer: 'converted',
      says: /its frequencies are those of subband 3, its name says 15/,
      exit: 0,
      asSound: true,
    },
    {
      form: 'a station stands 10 cm north of where the header has it',
      faults: ['station-moved:station=101'],
      answer: 'converted',
      checks: { 'w-residual': 'uncertain' },
      says: /a station is not where the header has it/,
      exit: 0,
      remark: 'with a station table the check `station-table` is bad too',
    },
    {
      form: '10 cm east of it',
      faults: ['station-moved:station=101,towards=east'],
      answer: 'converted',
      exit: 0,
      remark: 'w does not depend on it at hour angle 0: only a station table tells',
    },
    {
      form: 'so, in one file',
      faults: ['station-moved:station=101,subbands=2'],
      answer: 'set aside',
      absent: [2],
      code: 'DATA_IMPLAUSIBLE',
      says: /antenna_positions of its header differ/,
      exit: 0,
    },
    {
      form: 'positions turned to the local meridian',
      faults: ['rotated-positions'],
      answer: 'converted',
      checks: { 'w-fit': 'bad', 'w-residual': 'uncertain' },
      exit: 3,
      remark: 'the check blocks',
    },
  ]),
  ...inRow('size', [
    {
      form: '24 antennas, one integration',
      faults: [],
      set: { antennas: 24, integrations: 1 },
      answer: 'converted',
      exit: 0,
      checks: { integrations: 'uncertain' },
    },
    { form: '64 antennas', faults: [], set: { antennas: 64 }, answer: 'converted', exit: 0 },
    { form: '96 antennas', faults: [], set: { antennas: 96 }, answer: 'converted', exit: 0 },
    {
      form: '24 integrations',
      faults: [],
      set: { integrations: 24 },
      answer: 'converted',
      exit: 0,
      checks: { integrations: 'uncertain' },
    },
    { form: 'four polarisations', faults: [], set: { polarizations: 4 }, answer: 'converted', exit: 0 },
  ]),
]

function inRow(row: string, cases: readonly Omit<FaultCase, 'row'>[]): FaultCase[] {
  return cases.map((fault) => ({ row, ...fault }))
}
