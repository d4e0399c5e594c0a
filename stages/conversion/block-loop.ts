import { control, type BlockTask } from './block-task.ts'
import { openBlockConverter, type OpenData } from './blocks.ts'

/**
 * One thread's part of a pass: claims block after block until none is left. Which thread takes which block changes no
 * byte of the result.
 * @param options.pause awaited after every block by a thread that has other things to do
 */
export async function convertBlocks(
  { job, pass, blocks, control: shared }: BlockTask,
  { open, pause }: { open?: OpenData; pause?: () => Promise<void> } = {},
): Promise<void> {
  const converter = await openBlockConverter(job, open)
  try {
    const claim = (): number => Atomics.add(shared, control.next, 1)
    for (let block = claim(); block < blocks && Atomics.load(shared, control.stop) === 0; block = claim()) {
      converter.block(pass, block)
      Atomics.add(shared, control.done, 1)
      await pause?.()
    }
  } finally {
    converter.close()
  }
}
