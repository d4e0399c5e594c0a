import { bootstrap, handOver } from './bootstrap.js'

bootstrap()
handOver('test/run.ts', process.argv.slice(2))
