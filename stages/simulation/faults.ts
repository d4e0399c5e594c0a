import { StageError } from '#runtime/stage/errors.ts'
import type { SimulationParams } from './contract.ts'
import { defaultPlace, parseFault, type Fault, type FaultName } from './fault-catalogue.ts'

/** A fault with the subbands that it is in. */
export interface PlacedFault {
  /** As it was asked for. */
  readonly text: string
  readonly fault: Fault
  readonly subbands: readonly number[]
}

type Named<Name extends FaultName> = Extract<Fault, { name: Name }>

/** @throws StageError PARAMS_INVALID for a fault in a subband, integration or channel that the observation does not have */
export function placeFaults(params: SimulationParams): PlacedFault[] {
  const all = params.subbands.toSorted((a, b) => a - b)
  return params.faults.map((text) => {
    const fault = parseFault(text)
    const placed = fault.subbands ?? (defaultPlace(fault.name) === 'all' ? all : all.slice(-1))
    within(text, 'subband', placed, (subband) => all.includes(subband))
    if ('integrations' in fault) checkIntegrations(text, fault, params)
    if ('channels' in fault) within(text, 'channel', fault.channels ?? [], (channel) => channel < params.channels)
    return { text, fault, subbands: placed }
  })
}

/** The faults of one kind in one subband. */
export function faultsIn<Name extends FaultName>(
  faults: readonly PlacedFault[],
  subband: number,
  name: Name,
): Named<Name>[] {
  return faults.flatMap(({ fault, subbands }) =>
    fault.name === name && subbands.includes(subband) ? [fault as Named<Name>] : [],
  )
}

function checkIntegrations(
  text: string,
  { integrations }: Extract<Fault, { integrations?: unknown }>,
  params: SimulationParams,
): void {
  if (typeof integrations === 'number') {
    // Of a shift any number makes sense, of what is left out not all.
    if (text.startsWith('short') && integrations >= params.integrations)
      refuse(text, `of ${params.integrations} integrations at least one must be left`)
    return
  }
  within(text, 'integration', integrations ?? [], (integration) => integration < params.integrations)
}

function within(text: string, what: string, values: readonly number[], has: (value: number) => boolean): void {
  const stray = values.find((value) => !has(value))
  if (stray !== undefined) refuse(text, `the observation has no ${what} ${stray}`)
}

function refuse(text: string, why: string): never {
  throw new StageError('PARAMS_INVALID', `fault ${text}: ${why}`, { hint: 'see contimg simulate --help' })
}
