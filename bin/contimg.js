#!/usr/bin/env node
import { bootstrap, handOver } from './bootstrap.js'

bootstrap()
await handOver('orchestrator/main.ts', process.argv.slice(2), { tied: true })
