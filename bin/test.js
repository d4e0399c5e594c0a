import { bootstrap, handOver } from './bootstrap.js'

bootstrap()
await handOver('test/run.ts', process.argv.slice(2))
