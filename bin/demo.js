import { bootstrap, handOver } from './bootstrap.js'

bootstrap({ wsclean: true })
handOver('scripts/demo.ts', process.argv.slice(2))
