export { findIslands, maskFromIslands, type Island, type IslandOptions } from './islands.ts'
