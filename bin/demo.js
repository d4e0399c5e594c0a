import { bootstrap, handOver } from './bootstrap.js'

bootstrap({ wsclean: true })
await handOver('scripts/demo.ts', process.argv.slice(2))
