import { bootstrap, handOver } from './bootstrap.js'

bootstrap()
await handOver('test/oracles/pypi/run.ts', process.argv.slice(2))
