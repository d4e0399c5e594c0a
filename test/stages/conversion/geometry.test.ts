import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ARCSEC_RAD, DEGREE_RAD, DSA110_SITE } from '#runtime/sky/constants.ts'
import { convert, inFolder, rawObservation, writeRaw, type Converted, type RawObservation } from './raw-observation.ts'

function converted(raw: RawObservation): Promise<Converted> {
  return inFolder((dir) => convert(writeRaw(dir, raw), dir))
}

function verdictOf({ outcome }: Converted, name: string): string {
  const found = outcome.quality.checks.find((entry) => entry.name === name)
  assert.ok(found, name)
  return found.verdict
}

/** Changes all headers of an observation alike. */
function changed(
  change: (spec: NonNullable<ReturnType<RawObservation['subbands']['get']>>['spec']) => object,
): RawObservation {
  const raw = rawObservation({ integrations: 2 })
  for (const file of raw.subbands.values()) file.spec = { ...file.spec, ...change(file.spec) }
  return raw
}

test('the declination of w counts where the header has another one', async () => {
  const stale = await converted(changed(({ decOfDateRad }) => ({ decOfDateRad: decOfDateRad + 20 * ARCSEC_RAD })))
  assert.equal(verdictOf(stale, 'w-fit'), 'uncertain')
  assert.ok(Math.abs((stale.outcome.metrics.wFitOffsetArcsec ?? 0) - 20) < 0.05)
  assert.ok(Math.abs((stale.outcome.metrics.decOfDateDeg ?? 0) - 16.15) < 1e-5)
  const wrong = await converted(changed(({ decOfDateRad }) => ({ decOfDateRad: decOfDateRad + 2 * DEGREE_RAD })))
  assert.equal(verdictOf(wrong, 'w-fit'), 'bad')
  assert.equal(wrong.outcome.quality.verdict, 'bad')
})

test('positions turned to local axes fail the fit of w', async () => {
  const longitude = DSA110_SITE.longitudeDeg * DEGREE_RAD
  const turned = await converted(
    changed(({ antennaPositionsM }) => {
      const local = antennaPositionsM.slice()
      for (let i = 0; i < local.length; i += 3) {
        const [x, y] = [local[i], local[i + 1]]
        local[i] = Math.cos(longitude) * x + Math.sin(longitude) * y
        local[i + 1] = -Math.sin(longitude) * x + Math.cos(longitude) * y
      }
      return { antennaPositionsM: local }
    }),
  )
  assert.equal(verdictOf(turned, 'w-fit'), 'bad')
})

test('a station that is not where w has it makes the set uncertain', async () => {
  const moved = await converted(
    changed(({ antennaPositionsM }) => {
      const positions = antennaPositionsM.slice()
      positions[3 * 69] += 0.1
      return { antennaPositionsM: positions }
    }),
  )
  assert.equal(verdictOf(moved, 'w-residual'), 'uncertain')
  assert.equal(verdictOf(await converted(changed(() => ({}))), 'w-residual'), 'good')
})

test('a site far from the surveyed one is warned of, then refused', async () => {
  const near = await converted(changed(({ latitudeDeg }) => ({ latitudeDeg: latitudeDeg + 1e-4 })))
  assert.equal(verdictOf(near, 'site'), 'uncertain')
  const far = await converted(changed(({ latitudeDeg }) => ({ latitudeDeg: latitudeDeg + 0.01 })))
  assert.equal(verdictOf(far, 'site'), 'bad')
})

test('an antenna beyond 5 km and baselines longer than the array fail their checks', async () => {
  const far = await converted(
    changed(({ antennaPositionsM }) => {
      const positions = antennaPositionsM.slice()
      positions[3 * 69] += 6000
      return { antennaPositionsM: positions }
    }),
  )
  assert.equal(verdictOf(far, 'antenna-positions'), 'bad')
  assert.equal(verdictOf(far, 'baseline-length'), 'bad')
})
